"""Sampled answers, and how few of them tell that something varies.

Two samples of sixteen tokens from an open prompt agree by chance once in millions on most models,
but a model that was trained hard onto few answers may repeat itself now and then. So agreement is
believed only when it holds over several samples of several prompts; a variety shows at once, and
costs two samples.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from conformance.api import Api
from conformance.judgement import Deviation, NotApplicable, shown
from conformance.model import Effect

STORY = "Once upon a time, in a village by the sea, there lived"
"""A beginning that a model can continue in many ways."""

OPEN_PROMPTS = (STORY, "A list of ten unusual names for a cat:", "今天早上，我打开窗户，看见")
"""Beginnings that share no likely continuation."""

NARROW = 0.0001
"""A ``top_p`` below the best token's own share in any vocabulary, unless it is sheer noise."""

DRAWS = 3
"""Samples taken of each prompt before the next one is tried."""

Draw = Callable[[str, int], Awaitable[str]]
"""Takes one sample of a prompt; the number tells one sample from the next."""


def sampled(prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Write the body of the shared sampled request, with what a check adds to it."""
    return {"prompt": prompt, "max_tokens": 16, "temperature": 1, **more}


def narrowed(api: Api, share: float, prompt: Any = STORY, **more: Any) -> dict[str, Any]:
    """Write the shared sampled request with a ``top_p``."""
    return beside_top_p(api, sampled(prompt, **more, top_p=share))


def beside_top_p(api: Api, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the temperature of a request with ``top_p`` at its default, unless both may be set.

    Only some documents say that; one wants either of the two.
    """
    both = "temperature.with-top-p-served" in api.contract.requirements
    return {name: value for name, value in asked.items() if both or name != "temperature"}


def copies_of(prompts: list[str]) -> dict[str, Any]:
    """Write the request for two short samples of each prompt, echoed to tell whose they are."""
    return {"prompt": prompts, "max_tokens": 1, "temperature": 1, "n": 2, "echo": True}


def hottest(api: Api) -> float:
    """Return the highest temperature that the document states, or the usual 1."""
    return api.contract.parameter("temperature").maximum or 1


async def expect_variety(draw: Draw, expected: str) -> None:
    """Hold that samples differ: one that differs is enough, on any of the open prompts.

    Raises:
        Deviation: every sample of every prompt was the same as its neighbours.
        NotApplicable: the endpoint generated nothing.
    """
    same: list[str] = []
    for prompt in OPEN_PROMPTS:
        first = await draw(prompt, 0)
        for number in range(1, DRAWS):
            if await draw(prompt, number) != first:
                return
        same.append(first)
    if not any(same):
        raise NotApplicable("the endpoint generates nothing after the open prompts")
    raise Deviation(
        expected,
        f"{DRAWS} equal samples of each of {len(same)} prompts: {shown(same)}",
        effect=Effect.IGNORED,
    )
