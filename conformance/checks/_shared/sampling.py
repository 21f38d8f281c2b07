"""Sampled responses, and how variety among them is established.

Variety shows at once, and costs two samples. Equal samples prove little by themselves: a model that
was trained to give few answers repeats itself, and conforms. So the endpoint's own log
probabilities have to make the repetition practically impossible; where it serves none, a check may
compare what should vary with samples that do.
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
from conformance.model import Effect
from conformance.protocol.completion import Choice

IGNORED = Effect.IGNORED

STORY = "Once upon a time, in a village by the sea, there lived"
"""A beginning that a model can continue in many ways."""

OPEN_PROMPTS = (STORY, "A list of ten unusual names for a cat:", "今天早上，我打开窗户，看见")
"""Beginnings that share no likely continuation."""

NARROW_TOP_P = 0.0001
"""A ``top_p`` below the best token's own share in any vocabulary, unless it is sheer noise."""

DRAWS = 4
"""Samples of each open prompt, where the first ones agree."""

ROWS = 8
"""Rows of samples that are compared, where no log probabilities tell how probable each was."""

Draw = Callable[..., Awaitable[Sequence[Choice]]]
"""Takes a sample of a prompt: ``draw(prompt, number, **more)``, where the number tells one sample
from the next and ``more`` is added to the request. A sample is one choice, or several."""

Rows = Callable[[], Awaitable[Sequence[Sequence[str]]]]
"""Takes samples as rows, each of which an endpoint that fails repeats one text throughout."""


def sampled(prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Write the body of the shared sampled request, with what a check adds to it."""
    return {"prompt": prompt, "max_tokens": 16, "temperature": 1, **more}


def narrowed(api: Api, share: float, prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Write the shared sampled request with a ``top_p``."""
    return beside_top_p(api, sampled(prompt, **more, top_p=share))


def beside_top_p(api: Api, request: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the temperature of a request with ``top_p`` at its default, unless both may be set.

    Only some documents say that; one wants either of the two.
    """
    both = "temperature.with-top-p-served" in api.contract.requirements
    return {name: value for name, value in request.items() if both or name != "temperature"}


def choices_for(prompts: list[str]) -> dict[str, Any]:
    """Write the request for two short samples of each prompt, echoed to tell whose they are."""
    return {"prompt": prompts, "max_tokens": 1, "temperature": 1, "n": 2, "echo": True}


def distinguished(api: Api, number: int) -> dict[str, int]:
    """Return what tells one sample from the next where the document states a default seed."""
    return {} if api.contract.parameter("seed").default is None else {"seed": 100 + number}


def hottest(api: Api) -> float:
    """Return the highest temperature that the document states, or the usual 1."""
    return api.contract.parameter("temperature").maximum or 1


async def expect_variety(
    check_id: str,
    draw: Draw,
    expected: str,
    *,
    draws: int = DRAWS,
    hot: bool = False,
    rows: Rows | None = None,
) -> None:
    """Assert that samples differ: one that differs is enough, on any of the open prompts.

    ``hot`` says that they were taken at a temperature above 1.

    Raises:
        Deviation: all are equal, which the endpoint's own log probabilities make next to
            impossible, or other samples do that were taken beside them.
        Inconclusive: all are equal, and nothing tells how probable that was.
        NotApplicable: all are equal, as they may well be.
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
        raise NotApplicable("the endpoint generates nothing for the open prompts")
    seen = (
        f"{draws} equal samples of each of {len(same)} prompts, {shown(same)}; by the"
        f" endpoint's own log probabilities their probability is at most {chance(log_chance)}"
    )
    if is_beyond_chance(check_id, log_chance):
        raise Failure(expected, f"{seen} (reported below {SHARES[check_id]:.0e})", effect=IGNORED)
    raise NotApplicable(f"{seen}: not distinguishable from chance")


async def assert_rows_differ(
    check_id: str, rows: Rows | None, expected: str, missing: Judgement
) -> None:
    """Assert that rows of samples are not each one text throughout, while rows differ.

    Raises:
        Deviation: they are, which the same samples in any other order make next to impossible.
        Inconclusive: there are no rows to compare, or they are all alike.
    """
    taken = await rows() if rows else []
    if not taken:
        raise Inconclusive(f"samples are equal, and their probability is unknown: {missing}")
    if any(len(set(row)) > 1 for row in taken):
        return
    log_chance = log_chance_of_equal_rows(taken)
    seen = (
        f"{len(taken)} groups of {len(taken[0])} equal samples, {shown([row[0] for row in taken])};"
        f" in random order the probability is {chance(log_chance)}"
    )
    if is_beyond_chance(check_id, log_chance):
        raise Failure(expected, f"{seen} (reported below {SHARES[check_id]:.0e})", effect=IGNORED)
    raise Inconclusive(f"{seen}: not distinguishable from chance")


async def differ(draw: Draw, prompt: str, count: int, **more: Any) -> bool:
    """Return whether one of so many samples of a prompt is another than the first."""
    first = text_of(await draw(prompt, 0, **more))
    for number in range(1, count):
        if text_of(await draw(prompt, number, **more)) != first:
            return True
    return False


def text_of(sample: Sequence[Choice]) -> str:
    """The text of a sample, of all its choices together."""
    return "".join(choice.text for choice in sample)
