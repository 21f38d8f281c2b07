"""``logprobs`` in every response of a run: present where requested, absent elsewhere, and right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from conformance.checks import invariant
from conformance.checks._shared.characters import REPLACEMENT, is_whole
from conformance.checks._shared.invariants import assert_each
from conformance.checks._shared.readable_tokens import (
    generated_positions,
    readable_positions,
    readable_tokens,
    scored_choices,
)
from conformance.checks._shared.requests import MAX_TOKENS_IN_ANY_CONTEXT, choices_in_chunk
from conformance.checks._shared.token_scores import (
    MAX_ROUNDING_NATS,
    assert_alternatives_count,
    assert_offsets_advance,
    assert_tokens_make_text,
    offsets_of,
    positions_of,
)
from conformance.checks.logprobs.arrays import (
    NEAR_TIE_NATS,
    assert_parallel,
    assert_parts_written_as_bytes,
)
from conformance.checks.logprobs.directed import assert_no_scores
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Logprobs
from conformance.protocol.trace import RecordedExchange


@invariant("logprobs.returned-everywhere", requirement="logprobs.returned", of=Feature.LOGPROBS)
def every_choice_carries_what_was_asked_for(exchange: RecordedExchange) -> None:
    """Every choice with text has log probabilities if they were requested.

    凡是请求要求对数概率之处，每个有文本的 choice 都带有对数概率。
    """
    request, maximum = exchange.request, exchange.contract.parameter("logprobs").maximum
    if not request.logprobs or request.logprobs > (maximum or request.logprobs) or request.echo:
        raise NotApplicable(
            say("no log probabilities were requested, or another check covers the request")
        )
    assert_scores_where_text(exchange)


@invariant(
    "logprobs.zero-everywhere",
    requirement="logprobs.zero-gives-sampled",
)
def zero_scores_every_choice(exchange: RecordedExchange) -> None:
    """Every choice with text has log probabilities if the request has `logprobs: 0`.

    凡是以 `logprobs: 0` 要求之处，每个有文本的 choice 都带有对数概率。
    """
    if exchange.request.logprobs != 0 or exchange.request.echo:
        raise NotApplicable(say("`logprobs: 0` was not requested"))
    for number, choice in exchange.numbered:
        if exchange.generated(number, choice) and not choice.has_logprobs:
            raise Failure(say("{where}.logprobs an object", where=choice.where), say("none"))


@invariant("logprobs.absent-everywhere", requirement="logprobs.absent-unless-asked")
def no_choice_carries_scores_unasked(exchange: RecordedExchange) -> None:
    """No choice has log probabilities that were not requested.

    任何响应的 choice 都不含请求未要求的对数概率。
    """
    if exchange.request.logprobs is not None:
        raise NotApplicable(say("log probabilities were requested"))
    for choice in exchange.completion.choices:
        assert_no_scores(choice.raw.get("logprobs"))


@invariant("logprobs.count-everywhere", requirement="logprobs.alternatives-count")
def every_position_lists_what_was_asked_for(exchange: RecordedExchange) -> None:
    """With `logprobs: N`, every response lists N or N + 1 alternatives at each position.

    凡是要求 `logprobs: N` 之处，每个位置都列出 N 个或 N + 1 个候选。
    """
    wanted = exchange.request.logprobs or 0
    maximum = exchange.contract.parameter("logprobs").maximum
    if not 1 <= wanted <= (maximum or wanted):
        raise NotApplicable(say("no alternatives were requested, or more than the document allows"))

    def judge(choice: Choice) -> None:
        positions = readable_positions(choice)
        if exchange.request.echo:
            positions = positions[1:]  # the first token has no context
        assert_alternatives_count(positions, wanted)

    assert_each(scored_choices(exchange), judge)


@invariant(
    "logprobs-arrays.parallel-everywhere",
    requirement="logprobs-arrays.four-parallel",
    of=Feature.ARRAYS,
)
def four_arrays_of_one_length_everywhere(exchange: RecordedExchange) -> None:
    """If alternatives were requested, all four arrays are present and have the same length.

    凡是要求候选之处，四个数组都齐备且等长。
    """
    if not exchange.request.logprobs:
        raise NotApplicable(say("no alternatives were requested"))
    for choice in scored_choices(exchange):
        assert_parallel(choice.logprobs)
    for part in (part for chunk in exchange.completion.chunks for part in choices_in_chunk(chunk)):
        if isinstance(part.get("logprobs"), Mapping):
            assert_parallel(Logprobs(part["logprobs"], say("logprobs of a chunk")))


@invariant("logprobs-arrays.join-everywhere", requirement="logprobs-arrays.tokens-join-to-text")
def tokens_join_to_every_non_streaming_text(exchange: RecordedExchange) -> None:
    """The tokens of every non-streaming choice join to its text.

    每个非流式 choice 的 token 拼接后等于其文本。
    """
    if exchange.request.echo or exchange.response.is_stream:
        raise NotApplicable(say("the prompt is echoed, or the response is a stream"))
    assert_each(
        scored_choices(exchange),
        partial(_assert_join, hides_special=exchange.contract.hides_special_tokens),
    )


@invariant("logprobs-arrays.join-streamed-everywhere", requirement="streaming.logprobs-as-plain")
def tokens_join_to_every_streamed_text(exchange: RecordedExchange) -> None:
    """The tokens of every streamed choice join to its text.

    每个流式 choice 的 token 拼接后等于其文本。
    """
    if exchange.request.echo or not exchange.response.is_stream:
        raise NotApplicable(say("the prompt is echoed, or the response is not a stream"))
    assert_each(
        scored_choices(exchange),
        partial(_assert_join, hides_special=exchange.contract.hides_special_tokens),
    )


@invariant(
    "logprobs-arrays.one-entry-everywhere",
    requirement="logprobs-arrays.one-entry-per-token",
)
def one_entry_for_each_token_everywhere(exchange: RecordedExchange) -> None:
    """Every choice cut at the limit has exactly one entry for each allowed token.

    每个被上限截断的 choice，其条目数恰好等于允许的 token 数。
    """
    limit = exchange.request.limit
    if exchange.request.echo or not 1 <= limit <= MAX_TOKENS_IN_ANY_CONTEXT:
        raise NotApplicable(say("the prompt also has entries, or the context may end first"))

    def judge(choice: Choice) -> None:
        if choice.finish_reason != "length":
            raise NotApplicable(say("the choice ended before the limit"))
        expect(
            len(readable_tokens(choice)), say("number of {choice}'s tokens", choice=choice.where)
        ).equals(limit)

    assert_each(scored_choices(exchange), judge)


@invariant("logprobs-arrays.partial-everywhere", requirement="logprobs-arrays.partial-characters")
def parts_of_characters_are_bytes_everywhere(exchange: RecordedExchange) -> None:
    """No token is written with U+FFFD, unless the prompt has that character.

    任何响应的 token 都不会写成 U+FFFD，除非其 prompt 含有该字符。
    """
    if REPLACEMENT in exchange.exchange.request.body.decode("utf-8", errors="replace"):
        raise NotApplicable(say("the request itself contains U+FFFD"))
    assert_each(scored_choices(exchange), assert_parts_written_as_bytes)


@invariant(
    "logprobs-arrays.never-positive-everywhere", requirement="logprobs-arrays.never-positive"
)
def nothing_is_more_than_certain_anywhere(exchange: RecordedExchange) -> None:
    """Every log probability is a number of at most 0.

    所有对数概率都是不大于 0 的数字。
    """

    def judge(choice: Choice) -> None:
        _ = readable_tokens(choice)
        for position in positions_of(choice):
            for score in (position.logprob or 0.0, *(position.top or {}).values()):
                expect(
                    score, say("log probability at token {number}", number=position.number)
                ).at_most(MAX_ROUNDING_NATS)

    assert_each(scored_choices(exchange), judge)


@invariant("logprobs-arrays.mass-everywhere", requirement="logprobs-arrays.top-mass-at-most-one")
def alternatives_share_one_probability_everywhere(exchange: RecordedExchange) -> None:
    """In every response, the probabilities of the alternatives at a position sum to at most 1.

    任何响应的任何位置上，各候选的概率之和都不超过 1。
    """

    def judge(choice: Choice) -> None:
        for position in readable_positions(choice):
            mass = sum(math.exp(min(score, 1.0)) for score in (position.top or {}).values())
            expect(
                round(mass, 4), say("probability listed at token {number}", number=position.number)
            ).at_most(1.01)

    assert_each(scored_choices(exchange), judge)


@invariant(
    "logprobs-arrays.sampled-in-top-everywhere",
    requirement="logprobs-arrays.sampled-agrees-with-top",
)
def every_sampled_token_is_listed(exchange: RecordedExchange) -> None:
    """In every response, the sampled token is among the alternatives, equally probable.

    在每个响应中，所选的 token 都在候选之中，且对数概率与自身一致。
    """
    wanted = exchange.request.logprobs
    if not wanted:
        raise NotApplicable(say("no alternatives were requested"))

    def judge(choice: Choice) -> None:
        for position in generated_positions(exchange, choice):
            token, score, top = position.token, position.logprob, position.top or {}
            # Fewer entries than requested mean that several token ids with the same text share one.
            if len(top) < wanted or not token or not is_whole(token) or score is None:
                continue
            if token not in top:
                raise Failure(say("{token} among the alternatives", token=shown(token)), shown(top))
            if not math.isclose(top[token], score, rel_tol=0.01, abs_tol=0.01):
                raise Failure(
                    say("{token} listed with {score}", token=shown(token), score=score),
                    say("listed with {score}", score=top[token]),
                )

    assert_each(scored_choices(exchange), judge)


@invariant("logprobs-arrays.greedy-is-top-everywhere", requirement="logprobs-arrays.greedy-is-top")
def greedy_takes_the_best_everywhere(exchange: RecordedExchange) -> None:
    """In every greedy response, most tokens are the most probable alternative.

    每个贪心响应中，多数 token 都是最优候选。

    A few may differ: batching and speculative decoding change a token sometimes.
    """
    request = exchange.request
    if not request.is_greedy or request.has("logit_bias", "presence_penalty", "frequency_penalty"):
        raise NotApplicable(say("the response is not purely greedy"))

    def judge(choice: Choice) -> None:
        pairs = [
            (position.logprob, max(position.top.values()))
            for position in readable_positions(choice)
            if position.top and position.logprob is not None and not request.echo
        ]
        worse = sum(taken < best - NEAR_TIE_NATS for taken, best in pairs)
        if len(pairs) > 3 and 2 * worse > len(pairs):
            raise Failure(
                say("the best token at each position"),
                say("{worse} of {all} tokens are worse", worse=worse, all=len(pairs)),
            )

    assert_each(scored_choices(exchange), judge)


@invariant("text-offset.everywhere", requirement="text-offset.advances-by-characters")
def every_offset_follows_its_token(exchange: RecordedExchange) -> None:
    """In choices cut at the limit, each offset is the previous one plus that token's length.

    凡是被上限截断的 choice，每个偏移都等于前一个偏移加上该 token 的长度。
    """
    first = 1 if exchange.request.echo else 0  # a start token has no place in the text

    def judge(choice: Choice) -> None:
        if choice.finish_reason != "length":
            raise NotApplicable(say("tokens may continue where the text was cut"))
        _ = readable_tokens(choice)
        assert_offsets_advance(choice, first)

    assert_each(scored_choices(exchange), judge)


@invariant("text-offset.echo-from-zero-everywhere", requirement="text-offset.echo-from-zero")
def every_echo_begins_at_zero(exchange: RecordedExchange) -> None:
    """When a prompt is echoed with log probabilities, the first offset is 0.

    凡是带对数概率回显 prompt 之处，第一个偏移都是 0。
    """
    if not exchange.request.echo:
        raise NotApplicable(say("no echo was requested"))

    def judge(choice: Choice) -> None:
        offsets, tokens = offsets_of(choice), readable_tokens(choice)
        if not offsets or not tokens or not choice.text.startswith(tokens[0]):
            raise NotApplicable(say("the first entry is not a token of the text"))
        expect(offsets[0], "text_offset[0]").equals(0)

    assert_each(scored_choices(exchange), judge)


def assert_scores_where_text(exchange: RecordedExchange) -> None:
    """Assert that every choice with generated text has log probabilities, and numbers for them."""
    for number, choice in exchange.numbered:
        if exchange.generated(number, choice):
            scores = choice.logprobs.raw.get("token_logprobs")
            if isinstance(scores, list) and scores and set(map(type, scores)) == {type(None)}:
                raise Failure(
                    say("{where}.logprobs.token_logprobs numbers", where=choice.where),
                    shown(scores),
                )


def _assert_join(choice: Choice, *, hides_special: bool) -> None:
    _ = readable_tokens(choice)
    assert_tokens_make_text(choice, hides_special=hides_special)
