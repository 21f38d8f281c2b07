"""``finish_reason`` in a batch with several choices and an echo, streaming or not."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import (
    BATCHED,
    BATCHED_STREAM,
    EVERY_SCRIPT,
    QUESTION,
    ask_batched,
    generated_text,
)
from conformance.checks._shared.characters import solid
from conformance.checks._shared.requests import MAX_TOKENS, non_streaming
from conformance.checks.finish_reason.directed import known_reasons
from conformance.judgement import NotApplicable, expect
from conformance.message import say


@check("all-at-once.natural-end", requirement="finish-reason.stop-at-natural-end", **BATCHED)
async def each_choice_below_the_limit_was_not_cut(api: Api) -> None:
    """In a batch, no choice that ends before its limit has finish_reason `length`.

    在批次中，在上限之前结束的 choice，其 finish_reason 不是 `length`。
    """
    await assert_ended(api, stream=False)


@check(
    "all-at-once.natural-end-streamed",
    requirement="finish-reason.stop-at-natural-end",
    **BATCHED_STREAM,
)
async def each_streamed_choice_below_the_limit_was_not_cut(api: Api) -> None:
    """In a streamed batch, no choice that ends before its limit has finish_reason `length`.

    在流式批次中，在上限之前结束的 choice，其 finish_reason 不是 `length`。
    """
    await assert_ended(api, stream=True)


async def assert_ended(api: Api, *, stream: bool) -> None:
    """Assert that choices with the text of a response below its limit do not have ``length``."""
    alone = await non_streaming(api, QUESTION)
    if not alone.has_usage or not 0 < alone.usage.completion_tokens < MAX_TOKENS:
        raise NotApplicable(say("the response to the question does not end by itself"))
    for prompt, choice in await ask_batched(api, EVERY_SCRIPT, stream=stream):
        if prompt == QUESTION and generated_text(prompt, choice) == solid(alone.text):
            reason = say("finish_reason of {choice}", choice=choice.where)
            expect(choice.finish_reason, reason).one_of("stop", "content_filter")


@check("all-at-once.reason-known", requirement="finish-reason.known-value", **BATCHED)
async def each_choice_has_a_known_reason(api: Api) -> None:
    """Each choice of a batch with `n: 2` and `echo` has a known finish_reason.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 的 finish_reason 都是已知的值。
    """
    await assert_known(api, stream=False)


@check(
    "all-at-once.reason-known-streamed", requirement="finish-reason.known-value", **BATCHED_STREAM
)
async def each_streamed_choice_has_a_known_reason(api: Api) -> None:
    """Each streamed choice of a batch with `n: 2` and `echo` ends with a known finish_reason.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都以已知的 finish_reason 结束。
    """
    await assert_known(api, stream=True)


async def assert_known(api: Api, *, stream: bool) -> None:
    """Assert that each choice has a known finish_reason."""
    for _, choice in await ask_batched(api, EVERY_SCRIPT, stream=stream):
        expect(choice.finish_reason, say("finish_reason of {choice}", choice=choice.where)).one_of(
            *known_reasons(api.contract)
        )
