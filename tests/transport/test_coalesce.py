"""Identical requests are sent once."""

from __future__ import annotations

import asyncio

import pytest

from conformance.judgement import BudgetSpent
from conformance.model import Credentials, Exchange, Request
from conformance.transport.coalesce import RequestCoalescer

ONE = Request("POST", "/completions", b'{"prompt":"1"}')
OTHERS = (
    Request("POST", "/completions", b'{"prompt":"2"}'),
    Request("GET", "/completions", b'{"prompt":"1"}'),
    Request("POST", "/completions", b'{"prompt":"1"}', headers=(("x", "y"),)),
    Request("POST", "/completions", b'{"prompt":"1"}', credentials=Credentials.NONE),
    Request("POST", "/completions", b'{"prompt":"1"}', read_events=1),
)


class Endpoint:
    """Numbers its answers."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.broke = False

    async def send(self, request: Request) -> Exchange:
        self.sent.append(request)
        number = len(self.sent)
        await asyncio.sleep(0)
        if self.broke:
            raise BudgetSpent("nothing left")
        return Exchange(f"x{number}", request, (), 200, (), b"", (), 0.0)


def test_equal_concurrent_requests_are_sent_once() -> None:
    async def ask() -> None:
        endpoint, result = Endpoint(), list[Exchange]()
        coalescer = RequestCoalescer(endpoint.send, result.append)
        first, second = await asyncio.gather(coalescer.send(ONE), coalescer.send(ONE))
        third = await coalescer.send(ONE)
        assert first is second is third
        assert result == [first]

    asyncio.run(ask())


@pytest.mark.parametrize("other", OTHERS)
def test_any_difference_makes_another_request(other: Request) -> None:
    async def ask() -> None:
        coalescer = RequestCoalescer(Endpoint().send)
        assert await coalescer.send(ONE) is not await coalescer.send(other)

    asyncio.run(ask())


def test_fresh_request_is_always_sent_and_never_shared() -> None:
    async def ask() -> None:
        coalescer = RequestCoalescer(Endpoint().send)
        shared = await coalescer.send(ONE)
        fresh = await coalescer.send(ONE, fresh=True)
        assert fresh is not shared
        assert await coalescer.send(ONE, fresh=True) is not fresh
        assert await coalescer.send(ONE) is shared

    asyncio.run(ask())


def test_spent_budget_is_raised_for_all_waiters() -> None:
    async def ask() -> None:
        endpoint = Endpoint()
        endpoint.broke = True
        coalescer = RequestCoalescer(endpoint.send)
        outcomes = await asyncio.gather(
            coalescer.send(ONE), coalescer.send(ONE), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [BudgetSpent, BudgetSpent]
        endpoint.broke = False
        assert (await coalescer.send(ONE)).status == 200

    asyncio.run(ask())


def test_cancelled_waiter_does_not_cancel_the_others() -> None:
    async def ask() -> None:
        coalescer = RequestCoalescer(Endpoint().send)
        impatient = asyncio.create_task(coalescer.send(ONE))
        patient = asyncio.create_task(coalescer.send(ONE))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).status == 200

    asyncio.run(ask())


def test_closing_cancels_running_requests() -> None:
    async def ask() -> None:
        async def never(_: Request) -> Exchange:
            await asyncio.Event().wait()
            raise AssertionError

        coalescer = RequestCoalescer(never)
        asking = asyncio.create_task(coalescer.send(ONE))
        await asyncio.sleep(0)
        await coalescer.close()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(ask())
