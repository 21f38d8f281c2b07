"""Concurrency, rate and the end of requests."""

from __future__ import annotations

import asyncio

import pytest

from conformance.judgement import Inconclusive
from conformance.model import Exchange, Request
from conformance.transport.circuit_breaker import CircuitBreaker
from conformance.transport.coalesce import RequestCoalescer
from conformance.transport.rate_limit import (
    MAX_GAP_SECONDS,
    ConcurrencyLimiter,
    RateLimiter,
    Slots,
)

ASK = Request("POST", "/completions", b"{}")


def exchange(status: int | None) -> Exchange:
    error = None if status else "did not answer within 60 s"
    return Exchange("x1", ASK, (), status, (), b"", (), 0.0, error)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def times_of_turns(rate: float | None, turns: int) -> list[float]:
    async def take() -> list[float]:
        clock, times = Clock(), []
        rate_limiter = RateLimiter(rate, clock, clock.sleep)
        for _ in range(turns):
            await rate_limiter.turn()
            times.append(clock.now)
        return times

    return asyncio.run(take())


def test_requests_are_spaced_by_the_rate() -> None:
    assert times_of_turns(2, 3) == [100.0, 100.5, 101.0]
    assert times_of_turns(None, 3) == [100.0, 100.0, 100.0]


@pytest.mark.parametrize("rate", [1e-300, 5e-324])
def test_tiny_rate_waits_an_hour_at_most(rate: float) -> None:
    first, second = times_of_turns(rate, 2)
    assert second - first == pytest.approx(MAX_GAP_SECONDS)


def test_requests_in_flight_are_limited() -> None:
    now = most = 0

    async def send(_: Request) -> Exchange:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return exchange(200)

    async def ask() -> None:
        slots = ConcurrencyLimiter(send, Slots(3))
        await asyncio.gather(*(slots.send(ASK) for _ in range(10)))

    asyncio.run(ask())
    assert most == 3


def outcomes(statuses: list[int | None]) -> list[int | str | None]:
    """Send one request per status, and return the outcome of each."""
    left = list(statuses)

    async def send(_: Request) -> Exchange:
        return exchange(left.pop(0))

    async def ask() -> list[int | str | None]:
        circuit_breaker = CircuitBreaker(send, limit=2)
        result: list[int | str | None] = []
        for _ in statuses:
            try:
                result.append((await circuit_breaker.send(ASK)).status)
            except Inconclusive as reason:
                result.append(str(reason))
        return result

    return asyncio.run(ask())


def test_unresponsive_endpoint_gets_no_more_requests() -> None:
    gone = "not sent, the endpoint has stopped responding: did not answer within 60 s"
    assert outcomes([200, None, None, 200, 200]) == [200, None, None, gone, gone]


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_any_response_resets_the_circuit_breaker(status: int) -> None:
    assert outcomes([None, status, None, status]) == [None, status, None, status]


def request(name: str) -> Request:
    return Request("POST", "/completions", f'{{"prompt":"{name}"}}'.encode())


class OneByOne:
    """Takes requests one at a time, and notes their order."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.sharing = RequestCoalescer(ConcurrencyLimiter(self._send, Slots(1)).send)

    async def _send(self, request: Request) -> Exchange:
        self.sent.append(request)
        await asyncio.sleep(0)
        return Exchange(f"x{len(self.sent)}", request, (), 200, (), b"", (), 0.0)


def test_lowest_rank_is_sent_first() -> None:
    async def ask() -> list[Request]:
        endpoint = OneByOne()
        ranks = {"first": 9, "b": 3, "c": 1, "a": 3}
        await asyncio.gather(
            *(endpoint.sharing.ranked(rank).send(request(name)) for name, rank in ranks.items())
        )
        return endpoint.sent

    assert asyncio.run(ask()) == [request(name) for name in ("first", "c", "b", "a")]


def test_shared_request_has_its_most_urgent_rank() -> None:
    async def ask() -> list[Request]:
        endpoint = OneByOne()
        ranks = [("first", 0), ("shared", 9), ("other", 5), ("shared", 1)]
        await asyncio.gather(
            *(endpoint.sharing.ranked(rank).send(request(name)) for name, rank in ranks)
        )
        return endpoint.sent

    assert asyncio.run(ask()) == [request(name) for name in ("first", "shared", "other")]


def test_cancelled_request_frees_its_slot() -> None:
    async def ask() -> list[Request]:
        endpoint = OneByOne()
        slots = ConcurrencyLimiter(endpoint._send, Slots(1))
        tasks = [asyncio.create_task(slots.send(request(name))) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await slots.send(request("d"))
        return endpoint.sent

    assert asyncio.run(ask()) == [request(name) for name in "acd"]


def test_request_cancelled_at_its_turn_frees_its_slot() -> None:
    async def ask() -> list[Request]:
        sent: list[Request] = []
        released = asyncio.Event()

        async def send(request: Request) -> Exchange:
            sent.append(request)
            await released.wait()
            return exchange(200)

        slots = ConcurrencyLimiter(send, Slots(1))
        tasks = [asyncio.create_task(slots.send(request(name))) for name in "abc"]
        await asyncio.sleep(0)
        # The first ends and hands its slot over; the second is cancelled before it can take it.
        tasks[0].add_done_callback(lambda _: tasks[1].cancel())
        released.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return sent

    assert asyncio.run(ask())[-1] == request("c")
