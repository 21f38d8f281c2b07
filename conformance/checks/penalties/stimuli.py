"""Prompts of the checks of both penalties: texts that a penalty must change, or must not."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.readable_tokens import readable_positions
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.sampling import OPEN_PROMPTS, STORY
from conformance.checks._shared.token_scores import scored
from conformance.checks.penalties.arithmetic import Penalised
from conformance.judgement import NotApplicable, Refusal
from conformance.message import say
from conformance.protocol.completion import Completion

LAUGHTER = "ha ha ha ha ha ha ha ha ha ha ha ha"
"""A prompt of one repeated token: if it is counted, a penalty of either sign dominates."""

WORDS = "him her it me them you us\n\nShe looked at"
"""Ends at a position where the words of its beginning compete with others."""

TURNING_AWAY = (f"{LAUGHTER}\n\nOnce upon a time, there", f"{COLOURS}. My favourite is", WORDS)
"""Prompts that continue with new tokens, unless their own tokens are favoured."""

GOING_ON = (LAUGHTER, COLOURS, WORDS)
"""Prompts that continue with their own tokens, unless those are penalised."""

OPEN_PROMPT = OPEN_PROMPTS[-1]
"""In Chinese the same characters repeat soon, with close alternatives."""

RUNS = "A A A A A A A A B B B B B B B B"
"""Each token follows itself, so that a penalty which lags by a token shows: the token that it
misses is the one that competes."""

USUAL_PROMPT = {"presence_penalty": OPEN_PROMPT, "frequency_penalty": RUNS}
"""One code applies both penalties, so each of the two prompts is sent with one of them."""

LEAVING = {"presence_penalty": (OPEN_PROMPT, STORY), "frequency_penalty": (RUNS,)}
"""Prompts after which the highest penalty changes tokens, which shows how to read scores."""

MAX_TOKENS = 48

PENALTIES = ("presence_penalty", "frequency_penalty")

USUAL_MAXIMUM = 2.0
"""The maximum in every document that states one."""


async def penalised(api: Api, name: str, value: float, prompt: str | None = None) -> Completion:
    """Request a greedy text with a penalty, with log probabilities if they are available."""
    prompt = USUAL_PROMPT[name] if prompt is None else prompt
    request: dict[str, Any] = {name: value, "max_tokens": MAX_TOKENS}
    if api.contract.parameter("logprobs").documented:
        try:
            return await scored(api, prompt, **request)
        except Refusal:
            pass
    return await non_streaming(api, prompt, **request)


def ends_of(api: Api, name: str) -> tuple[float, float]:
    """Return the documented range of a penalty."""
    parameter = api.contract.parameter(name)
    if parameter.minimum is None or parameter.maximum is None:
        raise NotApplicable(say("this document states no range of {parameter}", parameter=name))
    return parameter.minimum, parameter.maximum


def as_factor(name: str, value: float) -> dict[str, float]:
    """Return a penalty under its name in the formula."""
    return {name.removesuffix("_penalty"): value}


async def under_penalty(api: Api, name: str, value: float, prompt: str | None = None) -> Penalised:
    """Request a greedy response with a penalty, as input to :func:`contradictions`."""
    prompt = USUAL_PROMPT[name] if prompt is None else prompt
    response = await penalised(api, name, value, prompt)
    return Penalised(readable_positions(response.only), prompt, **as_factor(name, value))
