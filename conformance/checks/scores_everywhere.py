"""The numbers in every ``logprobs`` of a run: probabilities, and offsets into the text."""

from __future__ import annotations

import math

from conformance.answered import Answered
from conformance.checks import invariant
from conformance.checks._characters import is_whole
from conformance.checks._invariants import hold_each
from conformance.checks._scores import (
    ROUNDING,
    hold_offsets_advance,
    offsets_of,
    positions_of,
)
from conformance.checks._tokens import (
    generated_positions,
    readable_positions,
    readable_tokens,
    scored_choices,
)
from conformance.checks.logprobs_arrays import NEAR_TIE
from conformance.completion import Choice
from conformance.judgement import Deviation, NotApplicable, expect, shown


@invariant(
    "logprobs-arrays.never-positive-everywhere", requirement="logprobs-arrays.never-positive"
)
def nothing_is_more_than_certain_anywhere(answer: Answered) -> None:
    """No log probability in any answer of the run is above 0, or anything but a number.

    本次运行的任何响应中，没有任何对数概率大于 0 或不是数字。
    """

    def judge(choice: Choice) -> None:
        _ = readable_tokens(choice)
        for position in positions_of(choice):
            for score in (position.logprob or 0.0, *(position.top or {}).values()):
                expect(score, f"log probability at token {position.number}").at_most(ROUNDING)

    hold_each(scored_choices(answer), judge)


@invariant("logprobs-arrays.mass-everywhere", requirement="logprobs-arrays.top-mass-at-most-one")
def alternatives_share_one_probability_everywhere(answer: Answered) -> None:
    """At no position of any answer do the alternatives' probabilities add up to more than 1.

    任何响应的任何位置上，各候选的概率之和都不超过 1。
    """

    def judge(choice: Choice) -> None:
        for position in readable_positions(choice):
            mass = sum(math.exp(min(score, 1.0)) for score in (position.top or {}).values())
            expect(round(mass, 4), f"probability listed at token {position.number}").at_most(1.01)

    hold_each(scored_choices(answer), judge)


@invariant(
    "logprobs-arrays.sampled-in-top-everywhere",
    requirement="logprobs-arrays.sampled-agrees-with-top",
)
def every_sampled_token_is_listed(answer: Answered) -> None:
    """In every answer the token taken is among the alternatives, with its own log probability.

    在每个响应中，所选的 token 都在候选之中，且对数概率与自身一致。
    """
    wanted = answer.asked.logprobs
    if not wanted:
        raise NotApplicable("no alternatives were asked for")

    def judge(choice: Choice) -> None:
        for position in generated_positions(answer, choice):
            token, score, top = position.token, position.logprob, position.top or {}
            # Fewer entries than asked for mean that token ids which are written alike share one.
            if len(top) < wanted or not token or not is_whole(token) or score is None:
                continue
            if token not in top:
                raise Deviation(f"{shown(token)} among the alternatives", shown(top))
            if not math.isclose(top[token], score, rel_tol=0.01, abs_tol=0.01):
                raise Deviation(f"{shown(token)} listed with {score}", f"listed with {top[token]}")

    hold_each(scored_choices(answer), judge)


@invariant("logprobs-arrays.greedy-is-top-everywhere", requirement="logprobs-arrays.greedy-is-top")
def greedy_takes_the_best_everywhere(answer: Answered) -> None:
    """In no greedy answer are most tokens less probable than the best alternative.

    任何贪心响应中，概率低于最优候选的 token 都不会占多数。

    One or two may be: batching and speculation take another token now and then.
    """
    asked = answer.asked
    if not asked.is_greedy or asked.has("logit_bias", "presence_penalty", "frequency_penalty"):
        raise NotApplicable("the answer is not simply greedy")

    def judge(choice: Choice) -> None:
        pairs = [
            (position.logprob, max(position.top.values()))
            for position in readable_positions(choice)
            if position.top and position.logprob is not None and not asked.echo
        ]
        worse = sum(taken < best - NEAR_TIE for taken, best in pairs)
        if len(pairs) > 3 and 2 * worse > len(pairs):
            raise Deviation("the best token at each place", f"{worse} of {len(pairs)} worse")

    hold_each(scored_choices(answer), judge)


@invariant("text-offset.everywhere", requirement="text-offset.advances-by-characters")
def every_offset_follows_its_token(answer: Answered) -> None:
    """Wherever the limit cut a choice, each offset is the one before plus that token's length.

    凡是被上限截断的 choice，每个偏移都等于前一个偏移加上该 token 的长度。
    """
    first = 1 if answer.asked.echo else 0  # a start token is listed and stands nowhere

    def judge(choice: Choice) -> None:
        if choice.finish_reason != "length":
            raise NotApplicable("tokens may go on where the text was cut")
        _ = readable_tokens(choice)
        hold_offsets_advance(choice, first)

    hold_each(scored_choices(answer), judge)


@invariant("text-offset.echo-from-zero-everywhere", requirement="text-offset.echo-from-zero")
def every_echo_begins_at_zero(answer: Answered) -> None:
    """Wherever a prompt is echoed with log probabilities, the first offset is 0.

    凡是带对数概率回显 prompt 之处，第一个偏移都是 0。
    """
    if not answer.asked.echo:
        raise NotApplicable("no prompt was to be echoed")

    def judge(choice: Choice) -> None:
        offsets, tokens = offsets_of(choice), readable_tokens(choice)
        if not offsets or not tokens or not choice.text.startswith(tokens[0]):
            raise NotApplicable("the first entry is no token of the text")
        expect(offsets[0], "text_offset[0]").equals(0)

    hold_each(scored_choices(answer), judge)
