"""Timing variants: delays, chunk sizes and transient errors."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import pytest

from reference_server.behaviour.messages import ClientRequest, ServerResponse
from reference_server.behaviour.registry import all_variants, behaviour
from tests.reference_server.behaviour.toy_server import Toy, asking, responses

STREAM = {"prompt": "a 汉字", "n": 9, "stream": True}
NON_STREAMING = {"prompt": "a"}


def pauses(name: str) -> list[float]:
    (response,) = responses(behaviour(name), STREAM)
    return [part.pause for part in response.parts]


def test_only_the_first_token_is_late() -> None:
    first, *others = pauses("slow-first-token")
    assert first > 0.1 > 10 * max(others)


def test_jitter_is_uneven_and_bursts_have_four_chunks() -> None:
    assert len(set(pauses("jitter"))) == 10
    assert [pause > 0 for pause in pauses("bursts")] == [at % 4 == 0 for at in range(10)]


def test_distant_server_delays_everything() -> None:
    (non_streaming,) = responses(behaviour("far-away"), NON_STREAMING)
    assert [part.pause > 0 for part in non_streaming.parts] == [True]
    assert [pause > 0 for pause in pauses("far-away")] == [True] + [False] * 9


@pytest.mark.parametrize(("name", "portions"), [("odd-portions", None), ("one-portion", 1)])
def test_network_splits_a_stream_anywhere(name: str, portions: int | None) -> None:
    right, response = (responses(behaviour(b), STREAM)[0] for b in ("none", name))
    assert response.raw == right.raw
    assert len(response.parts) != len(right.parts)
    assert portions in (None, len(response.parts))


def test_requests_are_served_one_at_a_time() -> None:
    under_way = most = 0

    async def upstream(request: ClientRequest) -> ServerResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await Toy()(request)

    async def ask(name: str) -> int:
        nonlocal most
        most, shown = 0, behaviour(name)
        await asyncio.gather(*(shown(asking(NON_STREAMING), upstream) for _ in range(5)))
        return most

    assert asyncio.run(ask("none")) == 5
    assert asyncio.run(ask("one-at-a-time")) == 1


@pytest.mark.parametrize(
    ("name", "status", "header"),
    [
        ("limited", 429, "retry-after"),
        ("limited-until", 429, "retry-after"),
        ("limited-for-milliseconds", 429, "retry-after-ms"),
        ("busy", 503, "retry-after"),
        ("bad-gateway", 502, None),
    ],
)
def test_transient_errors_occur_sometimes(name: str, status: int, header: str | None) -> None:
    result = responses(behaviour(name), *[NON_STREAMING] * 200)
    trouble = [response for response in result if response.status != 200]
    assert 1 <= len(trouble) <= 30
    assert {response.status for response in trouble} == {status}
    assert header is None or all(response.header(header) for response in trouble)
    assert all_variants()[name].may_be_inconclusive


def test_retry_after_may_be_a_date() -> None:
    result = responses(behaviour("limited-until"), *[NON_STREAMING] * 200)
    dates = [response.header("retry-after") for response in result if response.status == 429]
    assert all(parsedate_to_datetime(date or "").tzinfo is not None for date in dates)
