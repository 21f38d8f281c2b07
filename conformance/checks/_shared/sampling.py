"""Sampled responses, and how variety among them is established.

Two different samples prove variety. Equal samples prove little: a model that was trained to give
few responses repeats itself, and conforms. So the endpoint's own log probabilities have to make the
repetition practically impossible; if it returns none, a check may compare the samples with others
that vary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.p_values import LISTED_ALTERNATIVES, log_chance_of
from conformance.checks._shared.significance import (
    SHARES,
    chance,
    is_beyond_chance,
    log_chance_of_equal_rows,
)
from conformance.judgement import Failure, Inconclusive, Judgement, NotApplicable, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect
from conformance.protocol.completion import Choice

IGNORED = Effect.IGNORED

STORY = "Once upon a time, in a village by the sea, there lived"
"""A prompt that a model can continue in many ways."""

OPEN_PROMPTS = (STORY, "A list of ten unusual names for a cat:", "今天早上，我打开窗户，看见")
"""Prompts that share no likely continuation."""

NARROW_TOP_P = 0.0001
"""A ``top_p`` below the best token's probability, unless the model is pure noise."""

DRAWS = 4
"""Samples of each open prompt, if the first ones agree."""

ROWS = 8
"""Rows of samples that are compared if their log probabilities are unknown."""

Draw = Callable[..., Awaitable[Sequence[Choice]]]
"""Takes a sample of a prompt: ``draw(prompt, number, **more)``, where the number distinguishes the
samples and ``more`` is added to the request. A sample is one choice, or several."""

Rows = Callable[[], Awaitable[Sequence[Sequence[str]]]]
"""Takes samples as rows; in each row a failing endpoint repeats one text."""


def sampled(prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Return the body of the shared sampled request; ``more`` adds members."""
    return {"prompt": prompt, "max_tokens": 16, "temperature": 1, **more}


def narrowed(api: Api, share: float, prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Return the shared sampled request with a ``top_p``."""
    return beside_top_p(api, sampled(prompt, **more, top_p=share))


def beside_top_p(api: Api, request: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the temperature of a request with ``top_p`` at its default, unless both may be set.

    Only some documents allow both; one requires either of the two.
    """
    both = "temperature.with-top-p-served" in api.contract.requirements
    return {name: value for name, value in request.items() if both or name != "temperature"}


def choices_for(prompts: list[str]) -> dict[str, Any]:
    """Return the request for two short samples of each prompt, with ``echo`` to identify them."""
    return {"prompt": prompts, "max_tokens": 1, "temperature": 1, "n": 2, "echo": True}


def distinguished(api: Api, number: int) -> dict[str, int]:
    """Return the members that distinguish samples if the document states a default seed."""
    return {} if api.contract.parameter("seed").default is None else {"seed": 100 + number}


def hottest(api: Api) -> float:
    """Return the highest temperature that the document states, or the usual 1."""
    return api.contract.parameter("temperature").maximum or 1


async def expect_variety(
    check_id: str,
    draw: Draw,
    expected: Message,
    *,
    draws: int = DRAWS,
    hot: bool = False,
    rows: Rows | None = None,
) -> None:
    """Assert that samples differ: one that differs is enough, for any of the open prompts.

    ``hot`` means that they were taken at a temperature above 1.

    Raises:
        Failure: all are equal, which is practically impossible by the endpoint's own log
            probabilities, or by comparison with other samples.
        Inconclusive: all are equal, and the probability of that is unknown.
        NotApplicable: all are equal, and their probabilities allow it.
    """
    if await differ(draw, OPEN_PROMPTS[0], 2):
        return
    log_chance, same = 0.0, list[str]()
    for prompt in OPEN_PROMPTS:
        try:
            sample = await draw(prompt, 0, logprobs=LISTED_ALTERNATIVES)
            each = log_chance_of(sample, hot=hot)
        except (Failure, Refusal) as missing:
            await assert_rows_differ(check_id, rows, expected, missing)
            return
        if await differ(draw, prompt, draws, logprobs=LISTED_ALTERNATIVES):
            return
        log_chance += (draws - 1) * each
        same.append(text_of(sample))
        if is_beyond_chance(check_id, log_chance):
            break
    if not any(same):
        raise NotApplicable(say("the endpoint generates nothing for the open prompts"))
    seen = say(
        "{draws} equal samples of each of {prompts} prompts, {samples}; by the endpoint's "
        "own log probabilities their probability is at most {chance}",
        draws=draws,
        prompts=len(same),
        samples=shown(same),
        chance=chance(log_chance),
    )
    if is_beyond_chance(check_id, log_chance):
        raise Failure(
            expected,
            say("{seen} (reported below {shares})", seen=seen, shares=f"{SHARES[check_id]:.0e}"),
            effect=IGNORED,
        )
    raise NotApplicable(say("{seen}: not distinguishable from chance", seen=seen))


async def assert_rows_differ(
    check_id: str, rows: Rows | None, expected: Message, missing: Judgement
) -> None:
    """Assert that not every row of samples repeats one text while the rows differ.

    Raises:
        Failure: every row does, which is practically impossible in random order.
        Inconclusive: there are no rows to compare, or they are all alike.
    """
    taken = await rows() if rows else []
    if not taken:
        raise Inconclusive(
            say(
                "samples are equal, and their probability is unknown: {missing}",
                missing=missing.said,
            )
        )
    if any(len(set(row)) > 1 for row in taken):
        return
    log_chance = log_chance_of_equal_rows(taken)
    seen = say(
        "{prompts} groups of {draws} equal samples, {samples}; in random order the "
        "probability is {chance}",
        prompts=len(taken),
        draws=len(taken[0]),
        samples=shown([row[0] for row in taken]),
        chance=chance(log_chance),
    )
    if is_beyond_chance(check_id, log_chance):
        raise Failure(
            expected,
            say("{seen} (reported below {shares})", seen=seen, shares=f"{SHARES[check_id]:.0e}"),
            effect=IGNORED,
        )
    raise Inconclusive(say("{seen}: not distinguishable from chance", seen=seen))


async def differ(draw: Draw, prompt: str, count: int, **more: Any) -> bool:
    """Return whether one of ``count`` samples of a prompt differs from the first."""
    first = text_of(await draw(prompt, 0, **more))
    for number in range(1, count):
        if text_of(await draw(prompt, number, **more)) != first:
            return True
    return False


def text_of(sample: Sequence[Choice]) -> str:
    """Return the texts of a sample's choices, joined."""
    return "".join(choice.text for choice in sample)
