"""``choices[].finish_reason``: why a choice ended."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import QUESTION
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING
from conformance.checks._shared.requests import (
    LONGER_REQUEST,
    MAX_TOKENS,
    ONE_TOKEN_REQUEST,
    non_streaming,
    shared,
    streamed,
    two_prompts,
)
from conformance.checks._shared.stop_candidates import across_words, before, middle_of, start_of
from conformance.contract import Contract
from conformance.judgement import NotApplicable, expect
from conformance.message import say
from conformance.protocol.completion import Choice, Completion

REASONS = ("stop", "length", "content_filter")
"""The reasons that every document may use; some list others, too."""


def known_reasons(contract: Contract) -> tuple[str, ...]:
    """Return the reasons that a contract lists."""
    listed = contract.field("choices[].finish_reason").values
    return (*REASONS, *(reason for reason in listed if reason not in REASONS))


@check("finish-reason.known", requirement="finish-reason.known-value", tier="smoke")
async def the_reason_is_a_known_one(api: Api) -> None:
    """A non-streaming choice has finish_reason `stop`, `length` or `content_filter`, never null.

    非流式 choice 的 finish_reason 为 `stop`、`length` 或 `content_filter`，绝不为 null。
    """
    reason = (await non_streaming(api)).only.finish_reason
    expect(reason, "finish_reason").one_of(*known_reasons(api.contract))


@check("finish-reason.known-in-batch", requirement="finish-reason.known-value")
async def every_choice_has_a_known_reason(api: Api) -> None:
    """Every choice of a batch has a known finish_reason.

    批次中每个 choice 的 finish_reason 都是已知的值。
    """
    for choice in (await non_streaming(api, two_prompts(api))).choices:
        expect(
            choice.finish_reason, say("finish_reason of choice {index}", index=choice.index)
        ).one_of(*known_reasons(api.contract))


@check(
    "finish-reason.known-in-stream",
    requirement="finish-reason.known-value",
    tier="smoke",
    needs=("stream",),
)
async def a_streamed_choice_has_a_known_reason(api: Api) -> None:
    """A streamed choice ends with finish_reason `stop`, `length` or `content_filter`.

    流式 choice 以 finish_reason `stop`、`length` 或 `content_filter` 结束。
    """
    reason = (await streamed(api)).only.finish_reason
    expect(reason, "finish_reason").one_of(*known_reasons(api.contract))


@check("finish-reason.one-token", requirement="finish-reason.length-at-limit", tier="smoke")
async def one_token_of_text_is_cut_by_the_limit(api: Api) -> None:
    """With `max_tokens: 1` a response with text has finish_reason `length`.

    设置 `max_tokens: 1` 时，有文本的响应是被上限截断的，其 finish_reason 为 `length`。
    """
    assert_cut_by_limit((await api.complete(**ONE_TOKEN_REQUEST)).expect_ok().only)


@check(
    "finish-reason.stream-as-plain",
    requirement="finish-reason.length-at-limit",
    tier="smoke",
    needs=("stream",),
)
async def a_stream_ends_for_the_same_reason(api: Api) -> None:
    """A stream with the text of a non-streaming response with `length` has `length`, too.

    若非流式响应的 finish_reason 为 `length`，则文本相同的流也为 `length`。
    """
    assert_cut_alike((await non_streaming(api)).choices, (await streamed(api)).choices)


@check(
    "finish-reason.stream-as-plain-batch",
    requirement="finish-reason.length-at-limit",
    tier="deep",
    needs=("stream",),
)
async def a_streamed_batch_ends_for_the_same_reasons(api: Api) -> None:
    """In a streamed batch, a choice with the text of a non-streaming one with `length` has it, too.

    流式批次中，与 finish_reason 为 `length` 的非流式 choice 文本相同者，也为 `length`。
    """
    prompts = two_prompts(api)
    assert_cut_alike(
        (await non_streaming(api, prompts)).choices, (await streamed(api, prompts)).choices
    )


@check("finish-reason.cut-short", requirement="finish-reason.length-at-limit")
async def a_response_that_would_continue_was_cut(api: Api) -> None:
    """A response that continues with a larger limit has finish_reason `length`.

    放宽上限就会继续的响应是被上限截断的，其 finish_reason 为 `length`。
    """
    short, longer = (
        (await non_streaming(api)).only,
        (await api.complete(**LONGER_REQUEST)).expect_ok().only,
    )
    beginning = solid(short.text)
    if not longer.text.startswith(beginning) or len(longer.text) <= len(short.text):
        raise NotApplicable(say("a larger max_tokens does not continue the same response"))
    expect(short.finish_reason, say("finish_reason of the shorter response")).equals("length")


@check("finish-reason.stop-sequence", requirement="finish-reason.stop-at-sequence", tier="smoke")
async def a_stop_sequence_gives_stop(api: Api) -> None:
    """A choice that ended at a stop sequence has finish_reason `stop`.

    在停止序列处结束的 choice，其 finish_reason 为 `stop`。
    """
    free = (await non_streaming(api)).text
    needle = middle_of(free)
    assert_stopped((await non_streaming(api, stop=needle)).only, before(free, needle))


@check(
    "finish-reason.stop-sequence-in-stream",
    requirement="finish-reason.stop-at-sequence",
    tier="deep",
    needs=("stream",),
)
async def a_stop_sequence_gives_stop_in_a_stream(api: Api) -> None:
    """A streamed choice that ended at a stop sequence has finish_reason `stop`.

    在停止序列处结束的流式 choice，其 finish_reason 为 `stop`。
    """
    free = (await non_streaming(api, COLOURS)).text
    needle = across_words(free)
    assert_stopped((await streamed(api, COLOURS, stop=needle)).only, before(free, needle))


@check("finish-reason.natural-end", requirement="finish-reason.stop-at-natural-end")
async def a_response_below_the_limit_was_not_cut(api: Api) -> None:
    """A response with fewer tokens than its limit does not have finish_reason `length`.

    token 数少于上限的响应是自行结束的，其 finish_reason 不是 `length`。
    """
    request = [
        (await shared(api, prompt), MAX_TOKENS) for prompt in (COUNTING, COLOURS, CHINESE, QUESTION)
    ]
    assert_not_cut(
        [
            *request,
            ((await api.complete(**LONGER_REQUEST)).expect_ok(), LONGER_REQUEST["max_tokens"]),
        ]
    )


@check(
    "finish-reason.natural-end-deep", requirement="finish-reason.stop-at-natural-end", tier="deep"
)
async def a_long_response_below_the_limit_was_not_cut(api: Api) -> None:
    """A long response with fewer tokens than its limit does not have finish_reason `length`.

    token 数少于上限的较长响应，其 finish_reason 不是 `length`。
    """
    prompts = ("The end of the story is this:", "Yes or no? Answer:", QUESTION)
    longest: dict[str, Any] = {"max_tokens": 96, "temperature": 0}
    responses = [await api.complete(prompt=prompt, **longest) for prompt in prompts]
    result = [(response.expect_ok(), int(longest["max_tokens"])) for response in responses]
    assert_not_cut([*result, (await non_streaming(api), MAX_TOKENS)])


@check(
    "finish-reason.per-choice", requirement="finish-reason.per-choice", tier="deep", needs=("stop",)
)
async def each_choice_has_its_own_reason(api: Api) -> None:
    """In a batch, the choice with the stop sequence has `stop`, the other its own finish_reason.

    批次中遇到停止序列的 choice 为 `stop`，另一个有自己的 finish_reason。
    """
    counted, coloured = (await non_streaming(api)).only, (await non_streaming(api, COLOURS)).only
    needle = start_of(coloured.text)
    if needle in counted.text:
        raise NotApplicable(say("both responses of the batch contain the same stop sequence"))
    assert_own_reasons(
        await non_streaming(api, two_prompts(api), stop=needle), needle, [counted, coloured]
    )


def assert_cut_alike(whole: tuple[Choice, ...], fragments: tuple[Choice, ...]) -> None:
    """Assert that streamed choices have ``length`` like non-streaming ones of the same text."""
    cut = [
        streamed
        for one, streamed in zip(whole, fragments, strict=False)
        if one.finish_reason == "length" and solid(one.text) == solid(streamed.text)
    ]
    if not cut:
        raise NotApplicable(
            say("no non-streaming response was truncated, or the stream has other texts")
        )
    for choice in cut:
        reason = say("finish_reason of streamed choice {index}", index=choice.index)
        expect(choice.finish_reason, reason).equals("length")


def assert_cut_by_limit(choice: Choice) -> None:
    """Assert that a choice of one token has ``length``, unless the token is the end of text."""
    if choice.text == "":
        raise NotApplicable(say("the only token has no text; it may be the end-of-text token"))
    expect(choice.finish_reason, "finish_reason").equals("length")


def assert_stopped(choice: Choice, text: str) -> None:
    """Assert that a choice whose text ends at the stop sequence has ``stop``."""
    if choice.text != text:
        raise NotApplicable(
            say("the response did not end at the stop sequence (covered by another check)")
        )
    expect(choice.finish_reason, say("finish_reason of choice {index}", index=choice.index)).equals(
        "stop"
    )


def assert_own_reasons(together: Completion, needle: str, alone: list[Choice]) -> None:
    """Assert that the second of two choices has ``stop``, and the first the reason it has alone."""
    if len(together.choices) != len(alone):
        raise NotApplicable(say("not one choice for each prompt (covered by another check)"))
    free, stopped = together.choices
    assert_stopped(stopped, before(alone[1].text, needle))
    if free.text == alone[0].text:
        expect(free.finish_reason, say("finish_reason of choice 0")).equals(alone[0].finish_reason)


def assert_not_cut(completions: list[tuple[Completion, int]]) -> None:
    """Assert that responses with fewer tokens than their limit do not have ``length``.

    Raises:
        NotApplicable: none has fewer, or the usage is unreliable, because no truncated response has
            a usage equal to its limit.
    """
    early = [a for a, limit in completions if 0 < a.usage.completion_tokens < limit]
    if not early:
        raise NotApplicable(
            say("none of the responses that this check requests ended before its limit")
        )
    cut = [pair for pair in completions if pair[0].only.finish_reason == "length"]
    if cut and all(response.usage.completion_tokens < limit for response, limit in cut):
        raise NotApplicable(
            say("no response has a usage equal to its limit (covered by other checks)")
        )
    for response in early:
        expect(response.only.finish_reason, "finish_reason").one_of("stop", "content_filter")
