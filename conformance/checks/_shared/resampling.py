"""Repeated samples, distinguished from chance by the probability of each."""

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
from conformance.judgement import Failure, NotApplicable, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect
from conformance.protocol.completion import Choice

CHOICES_PER_PROMPT = 3
"""Choices for each prompt."""

SEVERAL = together(BATCH, CHINESE)
"""The shapes that request several choices."""

NULL_SHAPES = SEVERAL[:2]
"""The shapes with separate code for null: non-streaming and streaming."""

Taken = Mapping[RequestShape, Sequence[Choice]]
"""The choices of one response in each shape."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One choice: its response, its prompt, and the probability that it recurs.

    ``log_chance`` is an upper bound, as a natural logarithm.
    """

    response: tuple[int, str]
    prompt: str
    text: str
    log_chance: float


def samples_of(rounds: Sequence[Taken]) -> list[Sample]:
    """Read the choices of some rounds of responses as samples of their prompts."""
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
"""Returns whether two samples of one prompt have to differ."""


def same_response(one: Sample, other: Sample) -> bool:
    """Compare the choices of one response."""
    return one.response == other.response


def other_response(one: Sample, other: Sample) -> bool:
    """Compare the choices of different responses."""
    return one.response != other.response


def other_round(one: Sample, other: Sample) -> bool:
    """Compare the choices of different rounds of responses."""
    return one.response[0] != other.response[0]


def repeats_in(samples: Sequence[Sample], compared: Compared) -> list[tuple[Sample, Sample, float]]:
    """Return each repeated sample, an equal one, and a bound of the probability of such repeats.

    The probability that k samples equal one is at most that of one repeat to the power of k, times
    the number of ways to choose k samples.
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
    """Sample several choices in every shape that returns the requested number."""
    body = {**request, "n": CHOICES_PER_PROMPT}
    taken = {}
    async for shape, choices in answers_in_every_shape(api, body, shapes=shapes, fresh=fresh):
        prompts = shape.more.get("prompt")
        if len(choices) == CHOICES_PER_PROMPT * (len(prompts) if isinstance(prompts, list) else 1):
            taken[shape] = choices
    if not taken:
        raise NotApplicable(say("the number of choices is not the requested one"))
    return taken


NULLS: Mapping[str, str] = {
    "temperature": "temperature.null-is-default",
    "top_p": "top-p.null-is-default",
    "seed": "seed.null-is-none",
}
"""Parameters whose null leaves samples free, and the requirement that says so."""

NULL_ROUNDS = 3


async def is_sampled_with_nulls(api: Api, name: str, compared: Compared) -> bool:
    """Return whether samples vary where a parameter and others are null: no null fixes them.

    The checks of all of these parameters share the requests, which one null that fixes the samples
    would make repeat themselves; then each of the checks sends its own.
    """
    names = [each for each, sentence in NULLS.items() if _is_in_force(api, sentence)]
    if not _is_in_force(api, "temperature.with-top-p-served"):
        names = [each for each in names if each != "top_p"]
    if name not in names or api.contract.parameter("seed").default is not None:
        return False
    rounds = []
    for turn in range(NULL_ROUNDS):
        # The order makes other bytes of the same request, so that it is sent once a round.
        ordered = [*names[turn:], *names[:turn]]
        body: dict[str, Any] = {} if "temperature" in names else {"temperature": 1}
        body |= dict.fromkeys(ordered)
        try:
            rounds.append(await choices_in_every_shape(api, body, shapes=NULL_SHAPES))
        except (Failure, Refusal, NotApplicable):
            return False
    return not repeats_in(samples_of(rounds), compared)


def _is_in_force(api: Api, requirement: str) -> bool:
    known = requirement in api.contract.requirements
    return known and api.contract.why_not_in_force(requirement) is None


def assert_no_repeat(
    check_id: str, rounds: Sequence[Taken], expected: Message, compared: Compared
) -> None:
    """Assert that no sample is repeated that is practically never repeated by chance.

    Raises:
        Failure: one is.
        NotApplicable: some are, but their probabilities allow it.
    """
    repeats = repeats_in(samples_of(rounds), compared)
    if not repeats:
        return
    one, other, log_chance = min(repeats, key=lambda repeat: repeat[2])
    seen = say(
        "{sample} in {way} and again in {other}; by the endpoint's own log "
        "probabilities its probability is at most {chance}",
        sample=shown(one.text),
        way=one.response[1],
        other=other.response[1],
        chance=chance(log_chance),
    )
    if is_beyond_chance(check_id, log_chance):
        result = say(
            "{seen} (reported below {shares})", seen=seen, shares=f"{SHARES[check_id]:.0e}"
        )
        raise Failure(expected, result, effect=Effect.IGNORED)
    raise NotApplicable(say("{seen}: not distinguishable from chance", seen=seen))
