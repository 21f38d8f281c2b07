"""Samples that come again, distinguished from chance by how probable each of them was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.p_values import log_bound_of
from conformance.checks._shared.request_shapes import (
    BATCH,
    CHINESE,
    RequestShape,
    answers_in_every_shape,
    generated,
    together,
)
from conformance.checks._shared.significance import SHARES, chance, is_beyond_chance
from conformance.judgement import Failure, NotApplicable, shown
from conformance.model import Effect
from conformance.protocol.completion import Choice

CHOICES_PER_PROMPT = 3
"""Choices of each prompt."""

SEVERAL = together(BATCH, CHINESE)
"""The ways to ask for several choices."""

NULL_SHAPES = SEVERAL[:2]
"""Those in which a null can be mistaken by code of its own: plain and streamed."""

Taken = Mapping[RequestShape, Sequence[Choice]]
"""The choices of one answer in each way."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One choice: in which answer it came, after which prompt, and the chance that it comes again.

    ``log_chance`` is a bound, as a natural logarithm.
    """

    response: tuple[int, str]
    prompt: str
    text: str
    log_chance: float


def samples_of(rounds: Sequence[Taken]) -> list[Sample]:
    """Read the choices of some rounds of answers as samples of their prompts."""
    return [
        Sample(
            (number, shape.name),
            shape.prompt_of(index, CHOICES_PER_PROMPT),
            choice.text.removeprefix(shape.prompt_of(index, CHOICES_PER_PROMPT)),
            math.fsum(log_bound_of(position) for position in generated(shape, choice)),
        )
        for number, taken in enumerate(rounds)
        for shape, choices in taken.items()
        for index, choice in enumerate(choices)
    ]


Compared = Callable[[Sample, Sample], bool]
"""Tells whether two samples of one prompt are to differ."""


def same_response(one: Sample, other: Sample) -> bool:
    """Compare the choices of one answer."""
    return one.response == other.response


def other_response(one: Sample, other: Sample) -> bool:
    """Compare the choices of different answers."""
    return one.response != other.response


def other_round(one: Sample, other: Sample) -> bool:
    """Compare the choices of different rounds of answers."""
    return one.response[0] != other.response[0]


def repeats_in(samples: Sequence[Sample], compared: Compared) -> list[tuple[Sample, Sample, float]]:
    """Return the samples that came again, with another one of each and the chance of any such.

    That so many of the samples compared with one are equal to it has at most the chance of one, to
    the power of how many, for each way to choose them.
    """
    found: list[tuple[Sample, Sample, float]] = []
    for one in samples:
        others = [
            other
            for other in samples
            if other is not one and one.prompt == other.prompt and compared(one, other)
        ]
        equal = [other for other in others if other.text == one.text]
        if equal:
            shapes = math.comb(len(others), len(equal)) * len(samples)
            found.append((one, equal[0], len(equal) * one.log_chance + math.log(shapes)))
    return found


async def choices_in_every_shape(
    api: Api,
    request: Mapping[str, Any],
    *,
    shapes: Sequence[RequestShape] = SEVERAL,
    fresh: bool = False,
) -> dict[RequestShape, Sequence[Choice]]:
    """Sample several choices in every way, where as many as asked for come."""
    body = {**request, "n": CHOICES_PER_PROMPT}
    taken = {}
    async for shape, choices in answers_in_every_shape(api, body, shapes=shapes, fresh=fresh):
        prompts = shape.more.get("prompt")
        if len(choices) == CHOICES_PER_PROMPT * (len(prompts) if isinstance(prompts, list) else 1):
            taken[shape] = choices
    if not taken:
        raise NotApplicable("the number of choices is not the requested one")
    return taken


def assert_no_repeat(
    check_id: str, rounds: Sequence[Taken], expected: str, compared: Compared
) -> None:
    """Assert that no sample came again that next to never does.

    Raises:
        Deviation: one did.
        NotApplicable: some did, but as they may at a model that repeats itself.
    """
    repeats = repeats_in(samples_of(rounds), compared)
    if not repeats:
        return
    one, other, log_chance = min(repeats, key=lambda repeat: repeat[2])
    seen = (
        f"{shown(one.text)} in {one.response[1]} and again in {other.response[1]}; by the"
        f" endpoint's own log probabilities its probability is at most {chance(log_chance)}"
    )
    if is_beyond_chance(check_id, log_chance):
        result = f"{seen} (reported below {SHARES[check_id]:.0e})"
        raise Failure(expected, result, effect=Effect.IGNORED)
    raise NotApplicable(f"{seen}: not distinguishable from chance")
