"""``echo`` with ``logprobs``: scoring a text, which every benchmark harness relies on.

Models differ in whether they serve it, and a clean rejection conforms. Omitting the prompt's scores
does not: every benchmark result would be random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.characters import REPLACEMENT, is_whole
from conformance.checks._shared.prompts import CHINESE, COUNTING, RARE
from conformance.checks._shared.requests import (
    choices_of,
    non_streaming,
    require_zero_tokens,
    two_prompts,
)
from conformance.checks._shared.token_scores import (
    Scores,
    alike,
    assert_alternatives_count,
    assert_offsets_advance,
    expect_alike,
    offsets_of,
    positions_of,
    prompt_length,
    prompt_tokens_in,
    scored,
    scores_of,
    tokens_of,
)
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion

HARNESS_TOKENS = 1
"""The ``max_tokens`` of evaluation harnesses; some servers reject 0."""


@check("echo-logprobs.covers-prompt", requirement="echo.logprobs-cover-prompt", tier="smoke")
async def the_prompt_is_scored(api: Api) -> None:
    """With `echo` and `logprobs` the tokens begin with those of the prompt, each with a score.

    同时使用 `echo` 与 `logprobs` 时，token 以 prompt 的 token 开头，且每个都有得分。
    """
    choice = (await score(api, COUNTING)).only
    number = prompt_tokens_in(choice, COUNTING)
    scores = scores_of(choice)[1:number]
    expect(scores.count(None), say("prompt tokens without a score, after the first")).equals(0)


@check("echo-logprobs.covers-chinese", requirement="echo.logprobs-cover-prompt")
async def a_chinese_prompt_is_scored(api: Api) -> None:
    """With `echo` and `logprobs` the tokens of a Chinese prompt come first, byte for byte.

    同时使用 `echo` 与 `logprobs` 时，中文 prompt 的 token 排在最前，逐字节一致。
    """
    choice = (await score(api, CHINESE)).only
    number = prompt_tokens_in(choice, CHINESE)
    scores = scores_of(choice)[1:number]
    expect(scores.count(None), say("prompt tokens without a score, after the first")).equals(0)


@check("echo-logprobs.covers-batch", requirement="echo.logprobs-cover-prompt", tier="deep")
async def every_prompt_of_a_batch_is_scored(api: Api) -> None:
    """In a batch with `echo` and `logprobs` each choice begins with its own prompt's tokens.

    在带 `echo` 与 `logprobs` 的批次中，每个 choice 都以自己 prompt 的 token 开头。
    """
    prompts = two_prompts(api)
    for choice, prompt in zip(await score_batch(api, prompts), prompts, strict=True):
        prompt_tokens_in(choice, prompt)


@check("echo-logprobs.one-more-entry", requirement="echo.logprobs-cover-prompt", tier="smoke")
async def the_generated_token_follows(api: Api) -> None:
    """With `max_tokens: 1` one entry follows those of the prompt, as evaluation harnesses expect.

    设置 `max_tokens: 1` 时，prompt 的条目之后恰有一个条目，正如各评测框架所期望。
    """
    response = await score(api, COUNTING)
    number = prompt_tokens_in(response.only, COUNTING)
    more = len(tokens_of(response.only)) - number
    if response.only.finish_reason == "length":
        expect(more, say("entries after the prompt's")).equals(1)
    else:
        expect(more, say("entries after the prompt's")).at_most(1)


@check("echo-logprobs.counted-as-billed", requirement="echo.logprobs-cover-prompt", tier="smoke")
async def as_many_entries_as_prompt_tokens(api: Api) -> None:
    """The prompt has as many entries as `prompt_tokens` counts, except for a start token.

    除起始 token 外，prompt 的条目数与 `prompt_tokens` 的计数相同。
    """
    response = await score(api, COUNTING)
    entries = prompt_tokens_in(response.only, COUNTING)
    expect(response.usage.prompt_tokens - entries, say("prompt_tokens beyond the entries")).one_of(
        -1, 0, 1
    )


@check("echo-logprobs.zero-tokens", requirement="echo.zero-tokens-scores-prompt")
async def nothing_but_the_prompt_is_scored(api: Api) -> None:
    """With `max_tokens: 0` the entries are exactly the prompt's, and the text is the prompt.

    设置 `max_tokens: 0` 时，条目恰为 prompt 的条目，文本即为 prompt。
    """
    choice = (await score(api, COUNTING, max_tokens=0)).only
    if choice.text.startswith(COUNTING) and choice.text != COUNTING:
        raise Failure(say("only the prompt"), shown(choice.text), effect=Effect.ALTERED)
    number = prompt_tokens_in(choice, COUNTING)
    expect(len(tokens_of(choice)), say("number of entries")).equals(number)


@check(
    "echo-logprobs.zero-tokens-free",
    requirement="echo.zero-tokens-scores-prompt",
)
async def scoring_generates_nothing(api: Api) -> None:
    """With `max_tokens: 0` and `echo` the usage has no completion tokens.

    设置 `max_tokens: 0` 与 `echo` 时，补全 token 的用量为 0。
    """
    response = await score(api, COUNTING, max_tokens=0)
    expect(response.usage.completion_tokens, "completion_tokens").equals(0)


@check("echo-logprobs.first-null", requirement="echo.first-token-null", tier="smoke")
async def the_first_token_has_no_score(api: Api) -> None:
    """The entry of the first echoed token in `token_logprobs` is null, since no token precedes it.

    回显的第一个 token 之前没有内容，故其在 `token_logprobs` 中的条目为 null。
    """
    choice = (await score(api, COUNTING)).only
    prompt_tokens_in(choice, COUNTING)
    expect(scores_of(choice)[:1], say("token_logprobs at the first token")).one_of([None], [])


@check("echo-logprobs.first-top-null", requirement="echo.first-token-null", tier="smoke")
async def the_first_token_has_no_alternatives(api: Api) -> None:
    """The entry of the first echoed token in `top_logprobs` is null, since no token precedes it.

    回显的第一个 token 之前没有内容，故其在 `top_logprobs` 中的条目为 null。
    """
    choice = (await score(api, COUNTING)).only
    prompt_tokens_in(choice, COUNTING)
    expect(choice.logprobs.top_logprobs[:1], say("top_logprobs at the first token")).one_of(
        [None], []
    )


@check(
    "echo-logprobs.offset-zero",
    requirement="text-offset.echo-from-zero",
    tier="smoke",
    needs=("echo", "logprobs"),
)
async def echoed_offsets_start_at_zero(api: Api) -> None:
    """With `echo` the first offset is 0, and each points to its token in the returned text.

    使用 `echo` 时第一个偏移为 0，每个偏移都指向返回文本中对应的 token。
    """
    assert_offsets_point((await score(api, COUNTING)).only, COUNTING)


@check(
    "echo-logprobs.offset-zero-chinese",
    requirement="text-offset.echo-from-zero",
    needs=("echo", "logprobs"),
)
async def echoed_offsets_count_characters(api: Api) -> None:
    """With `echo` and a Chinese prompt offsets point to characters of the text, not to bytes.

    使用 `echo` 与中文 prompt 时，偏移指向文本的字符，而不是字节。
    """
    assert_offsets_point((await score(api, CHINESE)).only, CHINESE)


@check(
    "echo-logprobs.alternatives",
    requirement="logprobs.alternatives-count",
    tier="smoke",
    needs=("echo", "logprobs"),
    sees_effect=True,
)
async def the_prompts_alternatives_are_listed(api: Api) -> None:
    """With `echo` and `logprobs: N`, N alternatives are listed for the prompt's tokens, too.

    同时使用 `echo` 与 `logprobs: N` 时，prompt 的 token 同样列出 N 个候选。
    """
    choice = (await score(api, COUNTING)).only
    number = prompt_tokens_in(choice, COUNTING)
    assert_alternatives_count(positions_of(choice)[1:number], 1)


@check(
    "echo-logprobs.sampled-in-top",
    requirement="logprobs-arrays.sampled-agrees-with-top",
    tier="smoke",
    needs=("echo", "logprobs"),
)
async def the_prompts_tokens_are_listed(api: Api) -> None:
    """An echoed token among the alternatives has the same log probability in both places.

    回显的 token 若列在候选之中，其对数概率与候选中的一致。

    Two tokens may have the same text, and share an entry; these are few.
    """
    pairs = [
        (position, (position.top or {}).get(position.token, position.logprob))
        for position in positions_of((await score(api, COUNTING)).only)
        if position.logprob is not None and is_whole(position.token)
    ]
    others = [
        (position, listed)
        for position, listed in pairs
        if not math.isclose(listed or 0.0, position.logprob or 0.0, rel_tol=0.01, abs_tol=0.01)
    ]
    if 2 * len(others) > len(pairs):
        position, listed = others[0]
        token = shown(position.token)
        raise Failure(
            say("{token} listed with {score}", token=token, score=position.logprob),
            say("listed with {score}", score=listed),
        )


@check("echo-logprobs.as-generated", requirement="echo.scored-equals-generated")
async def a_text_is_scored_as_it_was_generated(api: Api) -> None:
    """A generated text that is sent back for scoring has the log probabilities of its generation.

    把一段文本发回计分，得到的对数概率与生成时相同。
    """
    await assert_rescored_alike(api, CHINESE, await non_streaming(api, CHINESE, logprobs=1))


@check(
    "echo-logprobs.as-generated-ascii",
    requirement="echo.scored-equals-generated",
    tier="deep",
)
async def ascii_is_scored_as_it_was_generated(api: Api) -> None:
    """An ASCII text that is sent back for scoring has the log probabilities of its generation.

    把一段 ASCII 文本发回计分，得到的对数概率与生成时相同。
    """
    await assert_rescored_alike(api, COUNTING, await scored(api))


@check("echo-logprobs.asked-otherwise", requirement="echo.scored-equals-generated")
async def a_score_does_not_depend_on_the_rest(api: Api) -> None:
    """A prompt's scores do not depend on whether a token is generated after it.

    prompt 的得分与其后是否再生成 token 无关。
    """
    require_zero_tokens(api)

    async def alone(fresh: bool) -> Scores:
        choice = (await score(api, COUNTING, fresh=fresh, max_tokens=0)).only
        return scores_of(choice)[: prompt_tokens_in(choice, COUNTING)]

    async def with_one_more(fresh: bool) -> Scores:
        choice = (await score(api, COUNTING, fresh=fresh)).only
        return scores_of(choice)[: prompt_tokens_in(choice, COUNTING)]

    await expect_alike(alone, with_one_more, say("the same scores of the same prompt"))


@check("echo-logprobs.follows-text", requirement="echo.scored-equals-generated")
async def a_score_depends_on_what_came_before_alone(api: Api) -> None:
    """The scores of a text's beginning do not depend on the text after it.

    一段文本开头部分的得分与其后的内容无关。
    """
    first = (await score(api, CHINESE)).only
    # The last token may be a different one when text follows it.
    few = prompt_tokens_in(first, CHINESE) - 1
    longer = CHINESE + (await non_streaming(api, CHINESE, logprobs=1)).text

    async def beginning(prompt: str, fresh: bool) -> Scores:
        choice = (await score(api, prompt, fresh=fresh)).only
        if tokens_of(choice)[:few] != tokens_of(first)[:few]:
            raise NotApplicable(say("the beginning is tokenized differently when text follows it"))
        return scores_of(choice)[:few]

    await expect_alike(
        partial(beginning, CHINESE),
        partial(beginning, longer),
        say("the same scores for the same beginning"),
    )


async def score(
    api: Api, prompt: Any, *, fresh: bool = False, max_tokens: int = HARNESS_TOKENS
) -> Completion:
    """Request the scores of a prompt, in the form that evaluation harnesses use."""
    return (await api.complete(fresh=fresh, **scoring(prompt, max_tokens))).expect_ok()


async def score_batch(
    api: Api, prompts: Sequence[str], *, fresh: bool = False
) -> tuple[Choice, ...]:
    """Request the scores of some prompts in one batch, and of a rare character behind them.

    How the characters of that one are listed, an invariant judges.
    """
    batch = [*prompts, RARE]
    return choices_of(await score(api, batch, fresh=fresh), len(batch), Feature.BATCH)[:-1]


def scoring(prompt: Any, max_tokens: int = HARNESS_TOKENS) -> dict[str, Any]:
    """Return the request that evaluation harnesses send."""
    body = {"prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "logprobs": 1}
    return {**body, "echo": True}


def assert_offsets_point(choice: Choice, prompt: str) -> None:
    """Assert that offsets start at 0, count characters, and point at each whole token."""
    prompt_tokens_in(choice, prompt)
    tokens, offsets, text = tokens_of(choice), offsets_of(choice), choice.text
    if not offsets:
        raise Failure(say("offsets of the echoed tokens"), say("none"), effect=Effect.IGNORED)
    expect(offsets[0], "text_offset[0]").equals(0)
    # A start token is listed, and may be counted, but is not part of the text.
    listed = is_whole(tokens[0]) and not text.startswith(tokens[0])
    shift = len(tokens[0]) if listed else 0
    assert_offsets_advance(choice, first=int(listed))
    for token, offset in list(zip(tokens, offsets, strict=False))[1:]:
        if not is_whole(token) or token not in text:
            continue
        if not any(text.startswith(token, offset - by) for by in (0, shift) if offset >= by):
            there = text[max(offset, 0) :][: len(token)]
            raise Failure(
                say("{token} at offset {offset} of the text", token=repr(token), offset=offset),
                say("{there} there", there=repr(there)),
            )


async def assert_rescored_alike(api: Api, prompt: str, generated: Completion) -> None:
    """Assert that a generated text has the same scores when it is sent back."""
    if await rescored_alike(api, prompt, generated):
        return
    # At temperature 0 a server may report log probabilities after sampling; at 1 it cannot.
    drawn = {"prompt": prompt, "max_tokens": 16, "temperature": 1}
    for _ in range(2):
        response = await api.complete(fresh=True, **drawn, logprobs=1)
        if await rescored_alike(api, prompt, response.expect_ok()):
            return
    raise Failure(
        say("the same log probabilities for a text when it is generated and when it is scored"),
        say("different ones, for a greedy response and two sampled ones"),
    )


async def rescored_alike(api: Api, prompt: str, generated: Completion) -> bool:
    """Send a generated text back for scoring, and return whether its tokens have the same scores.

    Raises:
        NotApplicable: the text is tokenized differently as a prompt.
    """
    tokens, scores = tokens_of(generated.only), scores_of(generated.only)
    choice = (await score(api, f"{prompt}{generated.text}")).only
    again, rescored = tokens_of(choice), scores_of(choice)
    prompt_tokens_in((await score(api, prompt)).only, prompt)
    start = prompt_length(again, prompt) or 0
    same = 0
    # U+FFFD may stand for any part of any character.
    while (
        same < len(tokens)
        and REPLACEMENT not in tokens[same]
        and again[start + same : start + same + 1] == [tokens[same]]
    ):
        same += 1
    if start == 0 or same == 0:
        raise NotApplicable(say("the text is tokenized differently as a prompt"))
    return alike(scores[:same], rescored[start : start + same])
