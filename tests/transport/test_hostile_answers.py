"""What one answer may cost: each attack ends within its limits, with one sentence."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.model import Exchange, Request, Target
from conformance.transport.answer_size import answer_limit, exact_reads
from conformance.transport.client import HEADERS_LIMIT, Client
from tests.hostile import HostileServer, hostile_server
from tests.hostile.encodings import BODY

ASK = Request("POST", "/completions", b'{"model":"m","prompt":"1, 2,","max_tokens":16}')
LIMIT = answer_limit(ASK)
MIB = 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


async def no_sleep(_: float) -> None: ...


async def send(server: HostileServer, name: str, request: Request = ASK, **given: Any) -> Exchange:
    target = Target(server.base_url(name), "m", "openai")
    options = {"timeout": 5.0, "silence": 2.0, "sleep": no_sleep, **given}
    async with Client(target, **options) as client:
        return await client.send(request)


def sent(server: HostileServer, name: str, request: Request = ASK, **given: Any) -> Exchange:
    return asyncio.run(send(server, name, request, **given))


# ── content encodings ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["gzip-unasked", "encoding-twice-in-capitals"])
def test_compressed_body_is_recorded_decoded(server: HostileServer, name: str) -> None:
    exchange = sent(server, name)
    assert (exchange.body, exchange.fault) == (BODY, None)
    assert "gzip" in (exchange.header("content-encoding") or "") or name != "gzip-unasked"
    assert sum(arrival.size for arrival in exchange.arrivals) == len(BODY)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("brotli-unasked", "its body has the content encoding 'br', which the suite cannot decode"),
        ("gzip-of-lies", "its body is not valid gzip data"),
        ("gzip-cut", "its body ends in the middle of its gzip data"),
        ("gzip-and-more", "its body goes on after the end of its gzip data"),
    ],
)
def test_undecodable_body_is_not_retried(server: HostileServer, name: str, reason: str) -> None:
    exchange = sent(server, name)
    url = server.base_url(name)
    assert exchange.fault == f"cannot decode the response from {url}: {reason}"
    assert (exchange.status, len(exchange.attempts)) == (200, 1)


def test_empty_body_needs_no_decoding(server: HostileServer) -> None:
    exchange = sent(server, "gzip-of-nothing")
    assert (exchange.status, exchange.body, exchange.fault) == (204, b"", None)


@pytest.mark.parametrize("name", ["gzip-once", "gzip-twice", "gzip-thrice"])
def test_gzip_bomb_is_not_inflated(server: HostileServer, name: str) -> None:
    sent(server, name)  # makes the bomb, which the server keeps
    tracemalloc.start()
    try:
        exchange = sent(server, name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert exchange.fault is not None
    assert exchange.fault.endswith(
        f"inflates to more than {LIMIT // 1024} KiB; the rest was not read"
    )
    assert len(exchange.body) <= LIMIT
    assert peak < 8 * MIB


def test_run_goes_on_while_a_bomb_is_decoded(server: HostileServer) -> None:
    unlimited = Request("POST", "/completions", b'{"prompt":"1","max_tokens":10000000}')

    async def longest_pause() -> float:
        longest, last = 0.0, time.monotonic()
        sending = asyncio.create_task(send(server, "gzip-thrice", unlimited))
        while not sending.done():
            await asyncio.sleep(0)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        assert len(sending.result().body) > 7 * MIB
        return longest

    sent(server, "gzip-thrice")
    assert asyncio.run(longest_pause()) < 1  # decoding alone takes milliseconds


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["eight-megabytes", "million-choices"])
def test_answer_is_cut_at_its_limit(server: HostileServer, name: str) -> None:
    exchange = sent(server, name)
    assert len(exchange.body) == LIMIT < MIB / 2
    assert str(exchange.fault).endswith(
        f"sent more than {LIMIT // 1024} KiB; the rest was not read"
    )


def test_huge_max_tokens_does_not_lift_the_limit(server: HostileServer) -> None:
    request = Request("POST", "/completions", json.dumps({"max_tokens": 10**7}).encode())
    assert len(sent(server, "eight-megabytes", request).body) <= 8 * MIB


# ── framing ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("interim-forever", "invalid HTTP response from {url}: more than 32 interim responses"),
        ("headers-forever", "response too large: the headers of the response from {url} have no"),
        ("one-header-forever", "response too large: the headers of the response from {url} have"),
        ("header-flood", "response too large: {url} sent 9001 headers, more than 256; the body"),
        ("trailer-forever", "invalid HTTP response from {url}: the first line of a chunk or the "),
        ("chunk-extension-forever", "invalid HTTP response from {url}: the first line of a chunk "),
        ("huge-chunk-size", "invalid HTTP response from {url}: illegal chunk header"),
        ("negative-length", "invalid HTTP response from {url}: bad Content-Length"),
        ("huge-length-then-silence", "timeout: {url} sent nothing for 0.2 s in the middle"),
        ("drip", "timeout: the response from {url} was incomplete after 0.5 s"),
    ],
)
def test_impossible_framing_ends_with_one_sentence(
    server: HostileServer, name: str, sentence: str
) -> None:
    began = time.monotonic()
    exchange = sent(server, name, timeout=0.5, silence=0.2, may_retry=lambda: False)
    assert str(exchange.fault).startswith(sentence.format(url=server.base_url(name)))
    assert "\n" not in str(exchange.fault)
    assert len(str(exchange.fault)) < 400
    assert len(exchange.headers) <= HEADERS_LIMIT
    assert time.monotonic() - began < 5


def test_crumbs_keep_few_arrivals(server: HostileServer) -> None:
    exchange = sent(server, "one-byte-chunks", timeout=60.0)
    assert (len(exchange.body), exchange.fault) == (20_000, None)
    exact = exact_reads(ASK)
    assert {arrival.size for arrival in exchange.arrivals[:exact]} == {1}
    assert len(exchange.arrivals) <= 2 * exact + 1
    assert sum(arrival.size for arrival in exchange.arrivals) == 20_000
    times = [arrival.at for arrival in exchange.arrivals]
    assert times == sorted(times)
    assert times[-1] <= exchange.elapsed


def test_reading_crumbs_can_be_cancelled(server: HostileServer) -> None:
    async def cancelled_after() -> float:
        sending = asyncio.create_task(send(server, "one-byte-chunks", timeout=60.0))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        sending.cancel()
        await asyncio.wait([sending])
        assert sending.cancelled()
        return time.monotonic() - began

    assert asyncio.run(cancelled_after()) < 1
