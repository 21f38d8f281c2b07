"""The limit of an answer fits its request, and the run has one as well."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.judgement import Inconclusive
from conformance.model import (
    Arrival,
    Attempt,
    Exchange,
    Limits,
    Request,
    Target,
    Tier,
    TransportOptions,
)
from conformance.record.events import ExchangeMade
from conformance.transport.answer_size import (
    BASE_BYTES,
    BYTES_PER_REQUEST_BYTE,
    BYTES_PER_TOKEN,
    MAX_BYTES,
    MAX_EXACT_READS,
    UNTOLD_BYTES,
    answer_limit,
    exact_reads,
    kept_bytes,
)
from conformance.transport.budget import Budget
from conformance.transport.byte_budget import RUN_BYTES, ByteBudget
from conformance.transport.pipeline import open_pipeline
from tests.fake_server import KEY, MODEL, FakeServer
from tests.hostile import hostile_server

MIB = 2**20


def asking(read_events: int | None = None, **body: Any) -> Request:
    return Request("POST", "/completions", json.dumps(body).encode(), read_events=read_events)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"prompt": "four", "max_tokens": 3}, 3),
        ({"prompt": "four"}, 16),
        ({"prompt": "four", "max_tokens": 3, "n": 2, "best_of": 5}, 15),
        ({"prompt": ["four", "five!"], "max_tokens": 3, "n": 2}, 12),
        ({"prompt": ["four", "five!"], "max_tokens": 3, "n": 2, "echo": True}, 12 + 2 * 9),
        ({"prompt": [[1, 2, 3], [4]], "max_tokens": 0, "echo": True}, 4),
        ({"prompt": "four", "max_tokens": 9, "read_events": 2}, 2),
    ],
)
def test_limit_grows_with_the_tokens(body: dict[str, Any], tokens: int) -> None:
    request = asking(**body)
    fixed = BASE_BYTES + BYTES_PER_REQUEST_BYTE * len(request.body)
    assert answer_limit(request) == fixed + BYTES_PER_TOKEN * tokens


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/models"),
        Request("POST", "/completions", b"{"),
        Request("POST", "/completions", b"[" * 100_000),
        Request("POST", "/completions", b'"text"'),
    ],
)
def test_requests_that_say_nothing_have_a_fixed_limit(request_: Request) -> None:
    assert answer_limit(request_) == UNTOLD_BYTES


@pytest.mark.parametrize(
    "body", [{"max_tokens": 10**7}, {"n": 10**400}, {"prompt": "x" * 10**7}, {"best_of": 10**9}]
)
def test_no_request_lifts_the_limit_above_the_maximum(body: dict[str, Any]) -> None:
    assert answer_limit(asking(**body)) == MAX_BYTES


def test_request_without_any_limit_gets_the_maximum() -> None:
    assert answer_limit(asking(prompt="x"), default_tokens=None) == MAX_BYTES
    assert answer_limit(asking(prompt="x", max_tokens=None), default_tokens=None) == MAX_BYTES
    assert answer_limit(asking(prompt="x", read_events=5), default_tokens=None) < MIB
    assert exact_reads(asking(prompt="x"), default_tokens=None) == MAX_EXACT_READS


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        # vLLM
        ({"n": 20, "echo": True, "logprobs": 1, "max_tokens": 4}, 198_037),
        # llama.cpp
        ({"n": 3, "logprobs": 5, "max_tokens": 32}, 133_227),
    ],
)
def test_limit_leaves_room_for_real_servers(body: dict[str, Any], seen: int) -> None:
    assert answer_limit(asking(prompt=["x" * 30] * 3, **body)) > 8 * seen


def test_stream_of_thousands_of_tokens_stays_exact() -> None:
    assert exact_reads(asking(prompt="x", max_tokens=4_000)) >= 2 * 4_000


async def _exchanges(tier: Tier) -> list[Exchange]:
    contract, server = load_contract("openai"), FakeServer()
    options = Options(tier=tier, limits=Limits(10**6, 10**9))
    target = Target("http://in.memory/v1", MODEL, "openai", KEY)
    events = run(target, contract, options, transport=server)
    return [event.exchange async for event in events if isinstance(event, ExchangeMade)]


@pytest.mark.parametrize(
    "tier", [Tier.SMOKE, pytest.param(Tier.DEEP, marks=pytest.mark.exhaustive)]
)
def test_conforming_answers_stay_far_below_their_limits(tier: Tier) -> None:
    exchanges = asyncio.run(_exchanges(tier))
    assert max(len(one.body) / answer_limit(one.request) for one in exchanges) < 1 / 8
    assert max(len(one.arrivals) / exact_reads(one.request) for one in exchanges) < 1 / 4
    assert sum(map(kept_bytes, exchanges)) < 8 * MIB


# ── the budget of a run ──────────────────────────────────────────────────────────────────────────

ASK = asking(prompt="x", max_tokens=1)
LIMIT = answer_limit(ASK)


def answer(size: int) -> Exchange:
    return Exchange("x1", ASK, (), 200, (), b"x" * size, (), 0.0)


def test_everything_kept_is_counted() -> None:
    exchange = Exchange(
        "x1",
        ASK,
        (Attempt(0.0, 1.0, 503, "no", "7", b"1234"), Attempt(1.0, 1.0, 200, None)),
        200,
        (("X-A", "\x01"),),
        b"12345",
        (Arrival(0.0, 5),),
        1.0,
    )
    assert kept_bytes(exchange) == 5 + 4 + 6 * (4 + 3) + 200 + 2 * 500 + 100


def test_run_stops_sending_when_its_bytes_are_spent() -> None:
    sent = 0

    async def send(_: Request) -> Exchange:
        nonlocal sent
        sent += 1
        return answer(LIMIT)

    async def spend() -> None:
        budget = ByteBudget(send, limit=3 * LIMIT)
        for _ in range(3):
            await budget.send(ASK)
        with pytest.raises(Inconclusive, match=r"too large: 0\.8 MiB of at most 0\.8 MiB in"):
            await budget.send(ASK)

    asyncio.run(spend())
    assert sent == 3


def test_requests_in_flight_cannot_exceed_the_bytes_together() -> None:
    now = most = 0

    async def send(_: Request) -> Exchange:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return answer(10)

    async def spend() -> None:
        budget = ByteBudget(send, limit=2 * LIMIT + 1_000)
        await asyncio.gather(*(budget.send(ASK) for _ in range(9)))

    asyncio.run(spend())
    assert most == 2


def test_failed_request_returns_its_bytes() -> None:
    async def fail(_: Request) -> Exchange:
        raise ConnectionError

    async def spend() -> None:
        budget = ByteBudget(fail, limit=LIMIT)
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await budget.send(ASK)

    asyncio.run(spend())


def test_run_against_a_flood_stops_sending() -> None:
    async def spend(base_url: str) -> list[int]:
        target = Target(base_url, "m", "openai")
        async with open_pipeline(target, Budget(), TransportOptions()) as send:
            allowed = RUN_BYTES // UNTOLD_BYTES - 1
            sizes = [len((await send(Request("GET", "/models"))).body) for _ in range(allowed)]
            with pytest.raises(Inconclusive, match="the responses of the endpoint are too large"):
                await send(Request("GET", "/models"))
        return sizes

    with hostile_server() as server:
        sizes = asyncio.run(spend(server.base_url("body-forever")))
    assert set(sizes) == {UNTOLD_BYTES}
