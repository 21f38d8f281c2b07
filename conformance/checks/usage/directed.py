"""``usage``: the counts, compared with what was sent and what was returned."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.counts import assert_three_counts
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.requests import (
    LONGER_REQUEST,
    MAX_TOKENS,
    MINIMAL_REQUEST,
    ONE_TOKEN_REQUEST,
    non_streaming,
    shared,
    streamed,
    two_prompts,
)
from conformance.checks._shared.sampling import STORY, sampled
from conformance.judgement import NotApplicable, expect
from conformance.message import say
from conformance.protocol.completion import Completion

MAX_OVERHEAD_TOKENS = 4
"""Tokens that a tokenizer may add to a prompt: a start token, a prefix or two."""

DENSE = "q7%Zk&9xJ@4w#Vp!2zG*8fY~"
"""Text in which hardly any two characters form one token, in any tokenizer."""


@check("usage.present", requirement="usage.present", tier="smoke")
async def the_response_has_usage(api: Api) -> None:
    """A non-streaming response has `usage` with three non-negative whole numbers.

    非流式响应带有 `usage`，含三个非负整数。
    """
    assert_three_counts(await non_streaming(api))


@check("usage.present-in-batch", requirement="usage.present")
async def a_batch_has_usage(api: Api) -> None:
    """The response to a batch has `usage` with three non-negative whole numbers.

    批次的响应带有 `usage`，含三个非负整数。
    """
    assert_three_counts(await non_streaming(api, two_prompts(api)))


@check("usage.total", requirement="usage.total-is-sum", tier="smoke")
async def the_total_is_the_sum(api: Api) -> None:
    """`total_tokens` is the sum of the other two.

    `total_tokens` 是另外两项之和。
    """
    assert_total(await non_streaming(api))


@check("usage.total-of-batch", requirement="usage.total-is-sum")
async def the_total_of_a_batch_is_the_sum(api: Api) -> None:
    """`total_tokens` of a batch is the sum of the other two.

    批次的 `total_tokens` 是另外两项之和。
    """
    assert_total(await non_streaming(api, two_prompts(api)))


@check("usage.completion-at-limit", requirement="usage.completion-at-limit", tier="smoke")
async def a_response_at_the_limit_counts_the_limit(api: Api) -> None:
    """A response cut at the limit has exactly `max_tokens` completion tokens.

    被上限截断的响应，补全 token 数恰好为 `max_tokens`。
    """
    assert_counted_at_limit(await non_streaming(api), MAX_TOKENS)


@check("usage.completion-at-one", requirement="usage.completion-at-limit", tier="smoke")
async def one_token_counts_one(api: Api) -> None:
    """With `max_tokens: 1`, a response cut at the limit has one completion token.

    设置 `max_tokens: 1` 时，被上限截断的响应的补全 token 数为 1。
    """
    assert_counted_at_limit((await api.complete(**ONE_TOKEN_REQUEST)).expect_ok(), 1)


@check("usage.completion-at-limit-chinese", requirement="usage.completion-at-limit")
async def a_chinese_response_at_the_limit_counts_the_limit(api: Api) -> None:
    """A Chinese response cut at the limit has exactly `max_tokens` completion tokens.

    被上限截断的中文响应，补全 token 数恰好为 `max_tokens`。
    """
    assert_counted_at_limit(await shared(api, CHINESE), MAX_TOKENS)


@check(
    "usage.completion-of-copies",
    requirement="usage.completion-sums-choices",
    tier="smoke",
    needs=("n",),
)
async def choices_are_counted_together(api: Api) -> None:
    """With `n: 3`, the tokens of all three choices are counted.

    设置 `n: 3` 时，三个 choice 的 token 全部计入用量。
    """
    assert_counted_at_limit((await api.complete(**sampled(n=3))).expect_ok(), MAX_TOKENS)


@check("usage.completion-of-prompts", requirement="usage.completion-sums-choices")
async def the_choices_of_a_batch_are_counted_together(api: Api) -> None:
    """In a batch, the tokens of all choices are counted.

    批次中，所有 choice 的 token 全部计入用量。
    """
    assert_counted_at_limit(await non_streaming(api, two_prompts(api)), MAX_TOKENS)


@check("usage.completion-counts-text", requirement="usage.completion-counts-text", tier="smoke")
async def text_costs_tokens(api: Api) -> None:
    """A response with text has `completion_tokens` above 0.

    有文本的响应，其 `completion_tokens` 大于 0。
    """
    assert_text_counted(await non_streaming(api))


@check("usage.completion-counts-long-text", requirement="usage.completion-counts-text")
async def more_text_costs_more_tokens(api: Api) -> None:
    """A longer response to the same prompt has more completion tokens than a shorter one.

    对同一 prompt，较长的响应比较短的计入更多补全 token。
    """
    short, longer = await non_streaming(api), (await api.complete(**LONGER_REQUEST)).expect_ok()
    if len(longer.text) <= len(short.text):
        raise NotApplicable(say("a larger max_tokens does not make the response longer"))
    expect(
        longer.usage.completion_tokens, say("completion_tokens of the longer response")
    ).at_least(short.usage.completion_tokens + 1)


@check("usage.prompt-once-for-copies", requirement="usage.prompt-counted-once")
async def a_prompt_is_counted_once(api: Api) -> None:
    """With `n: 3`, the prompt is counted once.

    设置 `n: 3` 时，prompt 只计一次。
    """
    choices_per_prompt = (await api.complete(**sampled(n=3))).expect_ok()
    alone = await non_streaming(api, STORY)
    expect(choices_per_prompt.usage.prompt_tokens, say("prompt_tokens with n: 3")).equals(
        alone.usage.prompt_tokens
    )


@check("usage.prompts-of-batch", requirement="usage.prompt-sums-batch")
async def prompts_are_counted_as_alone(api: Api) -> None:
    """The prompts of a batch count as many tokens as they do one by one.

    批次中各 prompt 所计的 token 数与逐个发送时相同。
    """
    alone = [(await non_streaming(api, prompt)).usage.prompt_tokens for prompt in two_prompts(api)]
    together = (await non_streaming(api, two_prompts(api))).usage.prompt_tokens
    expect(together, say("prompt_tokens of the batch")).equals(sum(alone))


@check("usage.prompts-of-equal-pair", requirement="usage.prompt-sums-batch", tier="deep")
async def the_same_prompt_twice_is_counted_twice(api: Api) -> None:
    """A batch of the same prompt twice counts that prompt twice.

    同一 prompt 出现两次的批次，按该 prompt 的两倍计数。
    """
    two_prompts(api)
    alone = await non_streaming(api, COLOURS)
    pair = (await api.complete(prompt=[COLOURS, COLOURS], max_tokens=1, temperature=0)).expect_ok()
    expect(pair.usage.prompt_tokens, say("prompt_tokens of the pair")).equals(
        2 * alone.usage.prompt_tokens
    )


@check("usage.prompt-not-above-bytes", requirement="usage.prompt-grows-with-text", tier="deep")
async def no_prompt_has_more_tokens_than_bytes(api: Api) -> None:
    """A prompt counts no more tokens than it has bytes, apart from one or two start tokens.

    除一两个起始 token 外，prompt 所计的 token 数不多于其字节数。
    """
    completion = (await api.complete(prompt=DENSE, max_tokens=1)).expect_ok()
    expect(
        completion.usage.prompt_tokens, say("prompt_tokens of {prompt}", prompt=repr(DENSE))
    ).at_most(len(DENSE.encode()) + MAX_OVERHEAD_TOKENS)


@check("usage.prompt-has-tokens", requirement="usage.prompt-grows-with-text", tier="smoke")
async def a_prompt_costs_tokens(api: Api) -> None:
    """A prompt counts at least one token, and a single character counts only a few.

    一个 prompt 至少计一个 token，一个字符至多计几个 token。
    """
    counted = (await api.complete(**MINIMAL_REQUEST)).expect_ok().usage.prompt_tokens
    expect(counted, say("prompt_tokens of one character")).at_least(1)
    expect(counted, say("prompt_tokens of one character")).at_most(1 + MAX_OVERHEAD_TOKENS)


@check("usage.prompt-doubled", requirement="usage.prompt-grows-with-text", tier="deep")
async def twice_the_text_costs_twice_the_tokens(api: Api) -> None:
    """Twice the words count twice the tokens: nothing is added to every prompt.

    单词加倍，token 数也加倍：没有给每个 prompt 附加固定的数量。
    """
    await assert_doubled(api, COLOURS, f"{COLOURS} {COLOURS}")


@check("usage.prompt-doubled-chinese", requirement="usage.prompt-grows-with-text", tier="deep")
async def twice_the_chinese_text_costs_twice_the_tokens(api: Api) -> None:
    """Twice the Chinese text counts twice the tokens: nothing is added to every prompt.

    中文文本加倍，token 数也加倍：没有给每个 prompt 附加固定的数量。
    """
    await assert_doubled(api, CHINESE, CHINESE + CHINESE)


@check("usage.prompt-doubled-emoji", requirement="usage.prompt-grows-with-text", tier="deep")
async def twice_the_emoji_cost_twice_the_tokens(api: Api) -> None:
    """Twice the emoji count twice the tokens: nothing is added to every prompt.

    表情符号加倍，token 数也加倍：没有给每个 prompt 附加固定的数量。
    """
    await assert_doubled(api, EMOJI, f"{EMOJI} {EMOJI}")


@check("usage.prompt-alike", requirement="usage.prompt-grows-with-text")
async def the_same_prompt_has_the_same_usage(api: Api) -> None:
    """The same prompt has the same prompt_tokens for any length of the response.

    无论响应长短，同一 prompt 的 prompt_tokens 都相同。
    """
    counts = [
        (await non_streaming(api)).usage.prompt_tokens,
        (await api.complete(**ONE_TOKEN_REQUEST)).expect_ok().usage.prompt_tokens,
        (await api.complete(**LONGER_REQUEST)).expect_ok().usage.prompt_tokens,
    ]
    expect(counts, say("prompt_tokens of the same prompt")).satisfies(
        lambda found: len(set(found)) == 1, say("the same each time")
    )


@check("usage.echo-not-completion", requirement="usage.echo-not-completion", tier="smoke")
async def an_echoed_prompt_is_no_completion(api: Api) -> None:
    """With `echo`, a response has no more completion tokens than `max_tokens`.

    使用 `echo` 时，响应的补全 token 数不多于 `max_tokens`。
    """
    usage = (await non_streaming(api, echo=True)).usage
    expect(usage.completion_tokens, say("completion_tokens with echo")).at_most(MAX_TOKENS)


@check("usage.stream-as-plain", requirement="usage.stream-equals-plain", tier="smoke")
async def a_stream_has_the_non_streaming_usage(api: Api) -> None:
    """A greedy stream has the same usage as the non-streaming response with the same text.

    贪心流的用量与文本相同的非流式响应一致。
    """
    await assert_same_usage(api, COUNTING)


async def assert_doubled(api: Api, text: str, twice_the_text: str) -> None:
    """Assert that twice a text counts twice its tokens, apart from a few at the joint."""
    once = (await shared(api, text)).usage.prompt_tokens
    twice = await prompt_tokens(api, twice_the_text)
    expect(twice, say("prompt_tokens of twice the text")).at_least(once + 1)
    beside = expect(2 * once - twice, say("number of tokens counted in addition to the text"))
    beside.at_most(MAX_OVERHEAD_TOKENS)
    beside.at_least(-MAX_OVERHEAD_TOKENS)


async def assert_same_usage(api: Api, prompt: Any, **more: Any) -> None:
    """Assert that a stream has the non-streaming usage, if the texts are the same."""
    one = await non_streaming(api, prompt, **more)
    other = await streamed(api, prompt, stream_options={"include_usage": True}, **more)
    expect(other.usage.prompt_tokens, say("prompt_tokens of the stream")).equals(
        one.usage.prompt_tokens
    )
    if one.texts == other.texts:
        expect(other.usage.completion_tokens, say("completion_tokens of the stream")).equals(
            one.usage.completion_tokens
        )


async def prompt_tokens(api: Api, prompt: str | list[str]) -> int:
    """Return the prompt_tokens of a prompt or a batch."""
    body: dict[str, Any] = {"prompt": prompt, "max_tokens": 1, "temperature": 0}
    return (await api.complete(**body)).expect_ok().usage.prompt_tokens


def assert_total(completion: Completion) -> None:
    """Assert that the total is the sum."""
    usage = completion.usage
    expect(usage.total_tokens, "total_tokens").equals(usage.prompt_tokens + usage.completion_tokens)


def assert_counted_at_limit(completion: Completion, limit: int) -> None:
    """Assert that every choice cut at the limit counts that many tokens.

    A choice that ended before may have any number of tokens below the limit.
    """
    cut = sum(choice.finish_reason == "length" for choice in completion.choices)
    if cut == 0:
        raise NotApplicable(say("the response ended before the limit"))
    counted = expect(completion.usage.completion_tokens, "completion_tokens")
    if cut == len(completion.choices):
        counted.equals(limit * cut)
    else:
        counted.at_least(limit * cut)
        counted.at_most(limit * len(completion.choices))


def assert_text_counted(completion: Completion) -> None:
    """Assert that a response with text has completion tokens."""
    if any(completion.texts):
        expect(completion.usage.completion_tokens, "completion_tokens").at_least(1)
