"""Null for all that may be null, in a batch with several choices and an echo, plain and streamed.

One request shows it for all of them; only where it is declined, or answered otherwise than without
them, is each null judged by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._all_at_once import PROMPTS, free, hold_each
from conformance.judgement import Judgement, NotApplicable

REQUIREMENTS: Mapping[str, str] = {
    "stop": "stop.null-is-none",
    "suffix": "suffix.null-is-none",
    "seed": "seed.null-is-none",
    "top_p": "top-p.null-is-default",
    "logprobs": "logprobs.null-is-none",
    "presence_penalty": "presence-penalty.null-is-none",
    "frequency_penalty": "frequency-penalty.null-is-none",
}
"""What is promised of each parameter's null."""


def _register(name: str, requirement: str, *, stream: bool) -> None:
    async def null_changes_nothing(api: Api) -> None:
        await hold_null(api, name, stream=stream)

    streamed, zh = ("streamed ", "流式") if stream else ("", "")
    null_changes_nothing.__doc__ = (
        f"`{name}: null` changes no {streamed}choice of a batch with `n: 2` and `echo`.\n\n"
        f"`{name}: null` 不改变带 `n: 2` 与 `echo` 的{zh}批次中的任何 choice。"
    )
    needs = ("n", "echo", name, *(["stream"] if stream else []))
    way = "-streamed" if stream else ""
    check(
        f"all-at-once.null-{name.replace('_', '-')}{way}",
        requirement=requirement,
        tier="deep",
        needs=needs,
    )(null_changes_nothing)


for _name, _requirement in REQUIREMENTS.items():
    _register(_name, _requirement, stream=False)
    _register(_name, _requirement, stream=True)


async def hold_null(api: Api, name: str, *, stream: bool) -> None:
    """Hold that null of one parameter leaves each choice as it is without."""
    nullable = [one for one in REQUIREMENTS if api.contract.parameter(one).nullable]
    if name not in nullable:
        raise NotApplicable(f"this document knows no null for {name}")
    try:
        await _hold(api, dict.fromkeys(nullable), stream=stream)
    except Judgement:
        await _hold(api, {name: None}, stream=stream)


async def _hold(api: Api, nulls: Mapping[str, Any], *, stream: bool) -> None:
    async def alone(prompt: str, fresh: bool) -> str:
        return await free(api, prompt, fresh)

    words = "each choice as without the null"
    await hold_each(api, PROMPTS, alone, words, stream=stream, **nulls)
