"""What the stop invariants can conclude from other responses to the same prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks._shared.greedy import greedy_in, place_of_stop
from conformance.checks.stop.invariants import piece_of_stop
from conformance.contract import load_contract
from conformance.protocol.trace import RecordedExchange
from conformance.testing import FakeEndpoint

CONTRACT = load_contract("openai")
PROMPT = "1, 2, 3, 4, 5, 6,"  # goes on as " 7, 8, 9, …", two tokens a number


def responses(*bodies: dict[str, Any]) -> Sequence[RecordedExchange]:
    async def request() -> Sequence[RecordedExchange]:
        api = Api(FakeEndpoint(CONTRACT), CONTRACT, "fake-model")
        for body in bodies:
            await api.complete(prompt=PROMPT, temperature=0, **body)
        return [RecordedExchange(exchange, CONTRACT) for exchange in api.exchanges]

    return asyncio.run(request())


FREE = {"max_tokens": 16}


@pytest.mark.parametrize(
    ("stop", "limit"),
    [
        pytest.param(", 8, 9", 3, id="in the middle of it"),
        pytest.param(" 8", 2, id="right before it"),
    ],
)
def test_limit_before_the_stop_sequence_shows_nothing(stop: str, limit: int) -> None:
    result = responses(FREE, {**FREE, "user": "x"}, {"max_tokens": limit, "stop": stop})
    greedy = greedy_in(result)
    sight = next(sight for sight in greedy.sights if sight.stops)
    assert place_of_stop(sight, greedy) == (None, "")
    assert piece_of_stop(sight, greedy) is None


def test_limit_of_another_response_locates_the_stop_sequence() -> None:
    result = responses(FREE, {**FREE, "user": "x"}, {**FREE, "stop": ", 9"})
    greedy = greedy_in(result)
    sight = next(sight for sight in greedy.sights if sight.stops)
    assert place_of_stop(sight, greedy) == (" 7, 8", ", 9")
