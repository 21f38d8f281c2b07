"""The four arrays of ``choices[].logprobs``: parallel, complete, and probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import REPEATS, expect_agreement
from conformance.checks._shared.characters import REPLACEMENT, is_part, is_whole
from conformance.checks._shared.prompts import CHINESE, EMOJI
from conformance.checks._shared.requests import (
    MAX_TOKENS,
    choices_in_chunk,
    non_streaming,
    streamed,
)
from conformance.checks._shared.sampling import NARROW_TOP_P, beside_top_p
from conformance.checks._shared.token_scores import (
    MAX_ROUNDING_NATS,
    Position,
    Scored,
    Scores,
    alternatives,
    assert_tokens_make_text,
    expect_alike,
    expect_scored_alike,
    positions_of,
    scored,
    scored_tokens,
    scores_of,
    tokens_of,
)
from conformance.checks.logprobs.directed import TWO_SCORED_CHOICES
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Logprobs

NEAR_TIE_NATS = 0.05
"""How far a greedy token may lie below the best, because of rounding in a tie."""


@check("logprobs-arrays.parallel", requirement="logprobs-arrays.four-parallel", tier="smoke")
async def four_arrays_of_one_length(api: Api) -> None:
    """All four arrays are present and have the same length.

    四个数组齐备且等长。
    """
    assert_parallel((await scored(api)).only.logprobs)


@check(
    "logprobs-arrays.parallel-in-stream",
    requirement="logprobs-arrays.four-parallel",
    needs=("stream",),
)
async def four_arrays_of_one_length_in_chunks(api: Api) -> None:
    """In every chunk with log probabilities, all four arrays have the same length.

    在每个带对数概率的数据块中，四个数组都齐备且等长。
    """
    for chunk in (await streamed(api, logprobs=alternatives(api))).chunks:
        for part in choices_in_chunk(chunk):
            if isinstance(part.get("logprobs"), Mapping):
                assert_parallel(Logprobs(part["logprobs"], say("logprobs of a chunk")))


@check("logprobs-arrays.join", requirement="logprobs-arrays.tokens-join-to-text", tier="smoke")
async def tokens_join_to_the_text(api: Api) -> None:
    """The tokens of an ASCII response join to its text, including spaces.

    ASCII 响应的 token 拼接后等于其文本，包括空格。
    """
    assert_tokens_make_text(
        (await scored(api)).only, hides_special=api.contract.hides_special_tokens
    )


@check("logprobs-arrays.join-chinese", requirement="logprobs-arrays.tokens-join-to-text")
async def chinese_tokens_join_to_the_text(api: Api) -> None:
    """The tokens of a Chinese response join to its text, byte for byte.

    中文响应的 token 拼接后与其文本逐字节一致。
    """
    assert_tokens_make_text(
        (await non_streaming(api, CHINESE, logprobs=1)).only,
        hides_special=api.contract.hides_special_tokens,
    )


@check("logprobs-arrays.join-emoji", requirement="logprobs-arrays.tokens-join-to-text")
async def emoji_tokens_join_to_the_text(api: Api) -> None:
    """The tokens of a response in emoji join to its text, byte for byte.

    表情符号响应的 token 拼接后与其文本逐字节一致。
    """
    assert_tokens_make_text(
        (await non_streaming(api, EMOJI, logprobs=1)).only,
        hides_special=api.contract.hides_special_tokens,
    )


@check(
    "logprobs-arrays.one-entry-per-token",
    requirement="logprobs-arrays.one-entry-per-token",
    tier="smoke",
)
async def one_entry_for_each_token(api: Api) -> None:
    """A response cut at the limit has exactly one entry for each allowed token.

    被上限截断的响应，其条目数恰好等于允许的 token 数。
    """
    choice = (await scored(api)).only
    if choice.finish_reason != "length":
        raise NotApplicable(say("the response ended before the limit"))
    expect(len(tokens_of(choice)), say("number of tokens")).equals(MAX_TOKENS)


@check(
    "logprobs-arrays.one-entry-per-token-chinese",
    requirement="logprobs-arrays.one-entry-per-token",
)
async def one_entry_for_each_part_of_a_character(api: Api) -> None:
    """A Chinese response cut at the limit has exactly one entry for each allowed token.

    被上限截断的中文响应，其条目数恰好等于允许的 token 数。
    """
    choice = (await non_streaming(api, CHINESE, logprobs=1)).only
    if choice.finish_reason != "length":
        raise NotApplicable(say("the response ended before the limit"))
    expect(len(tokens_of(choice)), say("number of tokens")).equals(MAX_TOKENS)


@check("logprobs-arrays.partial-characters", requirement="logprobs-arrays.partial-characters")
async def parts_of_characters_are_bytes(api: Api) -> None:
    """A token that is part of a Chinese character is written as bytes, not as U+FFFD.

    只是汉字一部分的 token 以字节形式写出，而不是写成 U+FFFD。
    """
    assert_parts_written_as_bytes((await non_streaming(api, CHINESE, logprobs=1)).only)


@check("logprobs-arrays.partial-emoji", requirement="logprobs-arrays.partial-characters")
async def parts_of_emoji_are_bytes(api: Api) -> None:
    """A token that is part of an emoji is written as bytes, not as U+FFFD.

    只是表情符号一部分的 token 以字节形式写出，而不是写成 U+FFFD。
    """
    assert_parts_written_as_bytes((await non_streaming(api, EMOJI, logprobs=1)).only)


@check("logprobs-arrays.never-positive", requirement="logprobs-arrays.never-positive", tier="smoke")
async def no_token_is_more_than_certain(api: Api) -> None:
    """No entry of `token_logprobs` is above 0.

    `token_logprobs` 中没有任何条目大于 0。
    """
    for score in scores_of((await scored(api)).only):
        expect(score or 0.0, say("log probability of a token")).at_most(MAX_ROUNDING_NATS)


@check(
    "logprobs-arrays.top-never-positive", requirement="logprobs-arrays.never-positive", tier="smoke"
)
async def no_alternative_is_more_than_certain(api: Api) -> None:
    """No entry of `top_logprobs` is above 0.

    `top_logprobs` 中没有任何条目大于 0。
    """
    for position in positions_of((await scored(api)).only):
        for score in (position.top or {}).values():
            expect(score, say("log probability of an alternative")).at_most(MAX_ROUNDING_NATS)


@check("logprobs-arrays.mass", requirement="logprobs-arrays.top-mass-at-most-one", tier="smoke")
async def alternatives_share_one_probability(api: Api) -> None:
    """At every position, the probabilities of the alternatives add up to at most 1.

    任何位置上，各候选的概率之和都不超过 1。
    """
    for position in positions_of((await scored(api)).only):
        mass = sum(math.exp(min(score, 1.0)) for score in (position.top or {}).values())
        expect(
            round(mass, 4), say("probability listed at token {number}", number=position.number)
        ).at_most(1.01)


@check(
    "logprobs-arrays.sampled-in-top",
    requirement="logprobs-arrays.sampled-agrees-with-top",
    tier="smoke",
)
async def the_sampled_token_is_listed(api: Api) -> None:
    """The sampled token is among the alternatives, with the same log probability.

    所选的 token 列在候选之中，且对数概率与自身一致。
    """
    wanted = alternatives(api)
    for position in positions_of((await scored(api)).only):
        token, score, top = position.token, position.logprob, position.top or {}
        # Fewer entries than requested mean that several token ids with the same text share one.
        if len(top) < wanted or not is_whole(token) or score is None:
            continue
        if token not in top:
            raise Failure(say("{token} among the alternatives", token=shown(token)), shown(top))
        if not math.isclose(top[token], score, rel_tol=0.01, abs_tol=0.01):
            raise Failure(
                say("{token} listed with {score}", token=shown(token), score=score),
                say("listed with {score}", score=top[token]),
            )


@check("logprobs-arrays.greedy-is-top", requirement="logprobs-arrays.greedy-is-top", tier="smoke")
async def greedy_takes_the_best(api: Api) -> None:
    """At temperature 0, no alternative has a higher log probability than the chosen token.

    temperature 为 0 时，没有任何候选的对数概率高于所选的 token。

    A token that the endpoint suppresses, such as the end token below a minimum length, may still be
    listed as the best: servers list the model's own probabilities.
    """
    # Batching and speculative decoding change a token sometimes: only a repeated one counts.
    worse = worse_than_best((await scored(api)).only)
    for _ in range(REPEATS):
        if worse is None:
            return
        worse = worse_than_best((await scored(api, fresh=True)).only)
    if worse is not None:
        best = max((worse.top or {}).values()) - NEAR_TIE_NATS
        raise Failure(
            say(
                "log probability of token {number} ≥ {best}, that of the best token",
                number=worse.number,
                best=f"{best:.2f}",
            ),
            say(
                "{score}, and not higher in {repeats} repeats", score=worse.logprob, repeats=REPEATS
            ),
        )


@check(
    "logprobs-arrays.before-temperature",
    requirement="logprobs-arrays.before-sampling",
    needs=("n",),
)
async def temperature_leaves_scores_alone(api: Api) -> None:
    """The best alternative has the same log probability at another temperature.

    改变 temperature，最优候选的对数概率不变。
    """
    await assert_unmoved(api, {**TWO_SCORED_CHOICES, "temperature": 0.5})


@check(
    "logprobs-arrays.before-top-p",
    requirement="logprobs-arrays.before-sampling",
    tier="deep",
    needs=("n", "top_p"),
)
async def top_p_leaves_scores_alone(api: Api) -> None:
    """The best alternative has the same log probability under another `top_p`.

    改变 `top_p`，最优候选的对数概率不变。
    """
    # An alternative outside `top_p` has a score as well, and the best one that of all tokens.
    await assert_unmoved(api, beside_top_p(api, {**TWO_SCORED_CHOICES, "top_p": NARROW_TOP_P}))


@check("logprobs-arrays.stream-tokens", requirement="streaming.logprobs-as-plain")
async def streamed_tokens_are_the_non_streaming_ones(api: Api) -> None:
    """The tokens in the chunks' log probabilities join to those of the non-streaming response.

    数据块的对数概率中的 token 拼接后与非流式响应一致。
    """
    request = alternatives(api)

    async def unstreamed(fresh: bool) -> list[str]:
        return tokens_of((await non_streaming(api, fresh=fresh, logprobs=request)).only)

    async def in_pieces(fresh: bool) -> list[str]:
        return tokens_of((await streamed(api, fresh=fresh, logprobs=request)).only)

    await expect_agreement(
        unstreamed, in_pieces, say("the same tokens in the stream as in the non-streaming response")
    )


@check("logprobs-arrays.stream-scores", requirement="streaming.logprobs-as-plain")
async def streamed_scores_are_the_non_streaming_ones(api: Api) -> None:
    """The log probabilities in the chunks join to those of the non-streaming response.

    数据块中的对数概率拼接后与非流式响应一致。
    """
    request = alternatives(api)

    async def unstreamed(fresh: bool) -> Scored:
        return scored_tokens((await non_streaming(api, fresh=fresh, logprobs=request)).choices)

    async def in_pieces(fresh: bool) -> Scored:
        return scored_tokens((await streamed(api, fresh=fresh, logprobs=request)).choices)

    await expect_scored_alike(
        unstreamed, in_pieces, say("the same scores in the stream as in the non-streaming response")
    )


def assert_parallel(logprobs: Logprobs) -> None:
    """Assert that the four arrays are arrays, of the same length."""
    lengths = {
        "tokens": len(logprobs.tokens),
        "token_logprobs": len(logprobs.token_logprobs),
        "top_logprobs": len(logprobs.top_logprobs),
        "text_offset": len(logprobs.text_offset),
    }
    if len(set(lengths.values())) != 1:
        raise Failure(say("four arrays of the same length"), shown(lengths))


def worse_than_best(choice: Choice) -> Position | None:
    """Return the first position with a more probable token that is chosen elsewhere.

    If most of several positions have a better alternative, it need not be chosen elsewhere: no
    server suppresses that many. One position alone may be that of a suppressed token.
    """
    positions = [p for p in positions_of(choice) if p.logprob is not None]
    taken = {position.token for position in positions}
    worse = [p for p in positions if better_than_taken(p)]
    if len(worse) > 1 and 2 * len(worse) > len(positions):
        return worse[0]
    return next((p for p in worse if taken.intersection(better_than_taken(p))), None)


def better_than_taken(position: Position) -> list[str]:
    """Return the alternatives that are clearly more probable than the chosen token."""
    least = (position.logprob or 0.0) + NEAR_TIE_NATS
    return [token for token, score in (position.top or {}).items() if score > least]


def assert_parts_written_as_bytes(choice: Choice) -> None:
    """Assert that tokens which are parts of characters are written as bytes."""
    tokens = tokens_of(choice)
    if not any(is_part(token) or REPLACEMENT in token for token in tokens):
        raise NotApplicable(say("every token of the response consists of whole characters"))
    broken = next((token for token in tokens if REPLACEMENT in token), None)
    if broken is not None:
        raise Failure(say("tokens without U+FFFD"), shown(broken))


async def assert_unmoved(api: Api, otherwise: Mapping[str, Any]) -> None:
    """Assert that sampling parameters do not change the best alternative's log probability.

    Two are requested: some servers replace the last one with the sampled token.
    """

    async def best(request: Mapping[str, Any], fresh: bool) -> Scores:
        choice = (await api.complete(fresh=fresh, **request)).expect_ok().choices[0]
        found = positions_of(choice)[:1]
        return [max((position.top or {}).values(), default=None) for position in found]

    # With the same limit: an endpoint may read another prompt if it is low.
    sampled = {name: value for name, value in otherwise.items() if name != "n"}
    await expect_alike(
        partial(best, TWO_SCORED_CHOICES), partial(best, sampled), say("the same best score")
    )
