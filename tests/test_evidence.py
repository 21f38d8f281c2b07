"""Roles of exchanges, and the collection of those that a block makes."""

from __future__ import annotations

import asyncio
from typing import Any

from conformance.api import Api, in_parallel
from conformance.contract import load_contract
from conformance.evidence import Evidence, compared, noted
from conformance.model import Exchange, Role
from conformance.testing import FakeEndpoint
from tests.report.builders import an_exchange


def sent(key: str, **request: Any) -> Exchange:
    return an_exchange(key, request={"model": "m", "prompt": "1", **request})


PLAIN, CAPPED, STREAMED = sent("x1"), sent("x2", max_tokens=1), sent("x3", stream=True)


def test_equal_requests_are_repeats() -> None:
    again, other = sent("x4", max_tokens=1), sent("x5", n=2)
    roles = Evidence((CAPPED,), (PLAIN,)).roles_in([PLAIN, CAPPED, again, other])
    assert roles == {"x2": Role.PROBE, "x1": Role.CONTROL, "x4": Role.REPEAT}
    assert Evidence((CAPPED, again)).roles_in([]) == {"x2": Role.PROBE, "x4": Role.REPEAT}


def test_request_that_asks_for_more_is_the_probe() -> None:
    assert compared([CAPPED], [PLAIN]) == Evidence((CAPPED,), (PLAIN,))
    assert compared([PLAIN], [CAPPED]) == Evidence((CAPPED,), (PLAIN,))
    assert compared([STREAMED], [CAPPED]) == Evidence((STREAMED,), (CAPPED,))


def test_exchange_of_both_sides_is_no_control() -> None:
    assert compared([CAPPED], [CAPPED, PLAIN]) == Evidence((CAPPED,), (PLAIN,))
    assert compared([], [PLAIN]) == Evidence((PLAIN,))
    assert compared([], []) is None


def test_exchanges_of_parallel_tasks_are_noted() -> None:
    async def ask() -> tuple[list[str], list[str], list[str]]:
        contract = load_contract("openai")
        api = Api(FakeEndpoint(contract), contract, "m")
        await api.complete(prompt="1", max_tokens=1)
        with noted() as outer:
            await api.complete(prompt="2", max_tokens=1)
            with noted() as inner:
                await in_parallel(*(api.complete(prompt=p, max_tokens=1) for p in "34"))
        await api.complete(prompt="5", max_tokens=1)
        return [e.id for e in api.exchanges], [e.id for e in outer], [e.id for e in inner]

    every, outer, inner = asyncio.run(ask())
    assert (outer, inner) == (every[1:4], every[2:4])


def test_exchanges_of_other_checks_are_dropped() -> None:
    async def ask() -> int:
        contract = load_contract("openai")
        api = Api(FakeEndpoint(contract), contract, "m")
        await api.complete(prompt="1", max_tokens=1)
        with api.without_evidence():
            await api.complete(prompt="2", max_tokens=1)
        return len(api.exchanges)

    assert asyncio.run(ask()) == 1
