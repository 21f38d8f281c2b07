"""Values without effect, sent together: what has no effect together has none alone.

A check of one such value sends all of them first, in a request that the whole run shares. Only
where that request is rejected, or its response differs, does the check send its own value alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.requests import greedy, non_streaming
from conformance.judgement import Judgement
from conformance.protocol.completion import Completion

NEUTRAL: Mapping[str, Any] = {
    "stream": False,
    "top_p": 1,
    "echo": False,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logit_bias": {},
    "user": "用户-1234 🍎",
}
"""For each parameter a value without effect."""

NULLABLE = (
    "logit_bias",
    "top_p",
    "logprobs",
    "suffix",
    "stop",
    "seed",
    "user",
    *NEUTRAL,
    "n",
    "best_of",
    "stream_options",
)
"""Parameters whose null, where the document allows it, has no effect on a greedy request."""


async def nulls_are_harmless(api: Api, name: str) -> bool:
    """Return whether null for all nullable parameters, ``name`` among them, changes nothing."""
    names = [one for one in NULLABLE if api.contract.parameter(one).nullable]
    return await _are_harmless(api, dict.fromkeys(names), name)


async def neutral_values_are_harmless(api: Api, name: str) -> bool:
    """Return whether values without effect, that of ``name`` among them, change nothing."""
    known = {one: v for one, v in NEUTRAL.items() if api.contract.parameter(one).documented}
    return await _are_harmless(api, known, name)


async def _are_harmless(api: Api, values: dict[str, Any], name: str) -> bool:
    if "temperature.with-top-p-served" not in api.contract.requirements:
        values.pop("top_p", None)
    if name not in values:
        return False
    try:
        # In repetitive text a penalty other than zero has an effect.
        completion = (await api.complete(**greedy(COLOURS, **values))).expect_ok()
        return not completion.chunks and _described(completion) == _described(
            await non_streaming(api, COLOURS)
        )
    except Judgement:
        return False


def _described(completion: Completion) -> tuple[object, ...]:
    choice = completion.only
    usage = completion.usage.prompt_tokens if completion.has_usage else None
    return solid(choice.text), choice.finish_reason, choice.has_logprobs, usage
