"""``logprobs`` in a batch with several choices and an echo, plain and streamed: all at once.

What the invariants of a run hold for scores, they hold for these answers too.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._all_at_once import PROMPTS, all_at_once
from conformance.checks._scores import alternatives, scores_of
from conformance.judgement import expect

SHORT = 4
"""Tokens of each choice."""

NEEDS = ("n", "echo", "logprobs")


@check("all-at-once.logprobs", requirement="logprobs.returned", tier="deep", needs=NEEDS)
async def each_choice_is_scored(api: Api) -> None:
    """With `logprobs` each choice of a batch with `n: 2` and `echo` scores what it generated.

    设置 `logprobs` 时，带 `n: 2` 与 `echo` 的批次中每个 choice 都为所生成的词元给出对数概率。
    """
    await hold_scored(api, stream=False)


@check(
    "all-at-once.logprobs-streamed",
    requirement="logprobs.returned",
    tier="deep",
    needs=(*NEEDS, "stream"),
)
async def each_streamed_choice_is_scored(api: Api) -> None:
    """With `logprobs` each streamed choice of a batch with `n: 2` scores what it generated.

    设置 `logprobs` 时，`n: 2` 的流式批次中每个 choice 都为所生成的词元给出对数概率。
    """
    await hold_scored(api, stream=True)


async def hold_scored(api: Api, *, stream: bool) -> None:
    """Hold that the last tokens of choices that were cut have numbers for scores."""
    asked: dict[str, Any] = {"max_tokens": SHORT, "logprobs": alternatives(api)}
    for _, choice in await all_at_once(api, PROMPTS, stream=stream, **asked):
        if choice.text:
            scores = scores_of(choice)
            expect(len(scores), f"scores of {choice.where}").at_least(1)
            cut = scores[-SHORT:] if choice.finish_reason == "length" else []
            expect(cut.count(None), f"unscored tokens of {choice.where}").equals(0)
