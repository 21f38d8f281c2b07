"""A behaviour that fails would pass for one that was not planted, so it has to raise."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable

import pytest

from conformance.model import Request
from conformance.protocol.request import COMPLETIONS
from reference_server.behaviour import builders
from reference_server.behaviour.messages import Body
from reference_server.behaviour.registry import all_faults, all_variants, chained, untouched
from reference_server.behaviour.rewrite import Rewrite
from tests.fake_server import MODEL, FakeServer
from tests.lanes import by_default
from tests.reference_server.behaviour.toy_server import responses

SHORT = {"model": MODEL, "prompt": "Once upon a time", "max_tokens": 3, "temperature": 0}
SAMPLED = {**SHORT, "temperature": 1, "n": 2}
RIGHT = (
    SHORT,
    {**SHORT, "stream": True},
    {**SAMPLED, "logprobs": 2, "echo": True, "seed": 1},
    {**SAMPLED, "best_of": 3},
    {
        **SAMPLED,
        "prompt": ["a b", "世界 c"],
        "logprobs": 2,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    {**SHORT, "max_tokens": 8, "logprobs": 1, "stop": [" the"]},
    {**SHORT, "prompt": [5, 6, 7], "logit_bias": {"5": 1}, "frequency_penalty": 1},
    {**SHORT, "max_tokens": 8, "stop": ["e"], "suffix": " x", "stream": True},
    {**SHORT, "max_tokens": 0, "logprobs": 1, "echo": True},
)
REFUSED = ({**SHORT, "max_tokens": -1}, {**SHORT, "n": 1000, "stream": True})

SINGLES = sorted({**all_faults(), **all_variants()})
RNG = random.Random(20261201)
COMBINED = ["+".join(RNG.sample(SINGLES, 2 + number % 2)) for number in range(400)]


def failures(specs: Iterable[str]) -> dict[str, str]:
    async def failing() -> dict[str, str]:
        found = {}
        for spec in specs:
            server = FakeServer(spec)
            for body in (*RIGHT, *REFUSED):
                request = Request("POST", COMPLETIONS, json.dumps(body).encode())
                try:
                    await server.send(request)
                except Exception as error:  # noqa: BLE001 - any error is reported with the name
                    found[spec] = repr(error)
        return found

    return asyncio.run(failing())


@pytest.mark.parametrize("share", by_default([0, 1], range(4)))
def test_no_behaviour_fails_by_itself(share: int) -> None:
    assert failures(SINGLES[share::4]) == {}


@pytest.mark.parametrize("share", by_default([0], range(4)))
def test_no_behaviour_fails_behind_others(share: int) -> None:
    assert failures(COMBINED[share::4]) == {}


def no_choices(_: Body, response: Body) -> Body:
    return {name: value for name, value in response.items() if name != "choices"}


def mistaken(_: Body, response: Body) -> Body:
    return {**response, "choices": response["chioces"]}


BARE, SHOUTING = (
    Rewrite(non_streaming=no_choices),
    builders.each_choice(lambda _, choice: {**choice, "text": choice["text"].upper()}),
)


def test_mistake_in_a_behaviour_is_raised() -> None:
    wrong = Rewrite(non_streaming=mistaken)
    for planted in (wrong, chained([SHOUTING, wrong]), chained([wrong, untouched])):
        with pytest.raises(KeyError, match="chioces"):
            responses(planted, {"prompt": "a"})


def test_unreadable_response_passes_unchanged() -> None:
    (bare,) = responses(BARE, {"prompt": "a"})
    (hidden,) = responses(chained([SHOUTING, BARE]), {"prompt": "a"})
    assert (hidden.status, set(hidden.body)) == (200, set(bare.body))
