"""``finish_reason`` of every choice of a run: a known value, and the right one for its length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import join_tokens, solid
from conformance.checks._shared.greedy import Sight, greedy_in, place_of_stop
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.requests import MAX_TOKENS_IN_ANY_CONTEXT
from conformance.checks.finish_reason.directed import REASONS, known_reasons
from conformance.judgement import Failure, Judgement, NotApplicable, expect
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange, Violation


@invariant("finish-reason.known-everywhere", requirement="finish-reason.known-value")
def every_choice_has_a_known_reason(exchange: RecordedExchange) -> None:
    """Every choice of every response ends with `stop`, `length` or `content_filter`.

    每个响应的每个 choice 都以 `stop`、`length` 或 `content_filter` 结束。

    The checks of streams judge whether a streamed choice has a finish_reason at all.
    """
    streams = exchange.response.is_stream
    for choice in exchange.completion.choices:
        if streams and choice.finish_reason is None:
            continue
        known = known_reasons(exchange.contract)
        expect(choice.finish_reason, f"{choice.where}.finish_reason").one_of(*known)


@invariant("finish-reason.one-token-everywhere", requirement="finish-reason.length-at-limit")
def one_token_of_text_is_cut_everywhere(exchange: RecordedExchange) -> None:
    """With `max_tokens: 1` and no stop sequence, every choice with text has `length`.

    在 `max_tokens: 1` 且没有停止序列时，每个有文本的 choice 的 finish_reason 都是 `length`。
    """
    if exchange.request.limit != 1 or exchange.request.stops:
        raise NotApplicable(say("the choices may end before the limit"))
    texts = [(choice, exchange.generated(number, choice)) for number, choice in exchange.numbered]
    spoken = [choice for choice, text in texts if text and choice.finish_reason in REASONS]
    if not spoken:
        raise NotApplicable(say("the only token may be the end-of-text token"))
    for choice in spoken:
        expect(choice.finish_reason, f"{choice.where}.finish_reason").equals("length")


@invariant("finish-reason.all-tokens-everywhere", requirement="finish-reason.length-at-limit")
def a_choice_with_all_tokens_was_cut(exchange: RecordedExchange) -> None:
    """Every choice with as many visible tokens as its limit has finish_reason `length`.

    token 全部出现在文本中且数目达到上限的 choice，其 finish_reason 都是 `length`。

    Only the limit can have ended it: there is no stop sequence, and no end-of-text token.
    """
    if (
        exchange.request.stops
        or exchange.request.echo
        or not 1 <= exchange.request.limit <= MAX_TOKENS_IN_ANY_CONTEXT
    ):
        raise NotApplicable(say("the choices may end before the limit"))
    full = [choice for _, choice in exchange.numbered if _is_full(choice, exchange.request.limit)]
    if not full:
        raise NotApplicable(say("no choice has as many visible tokens as allowed"))
    for choice in full:
        expect(choice.finish_reason, f"{choice.where}.finish_reason").equals("length")


@invariant_across("finish-reason.cut-everywhere", requirement="finish-reason.length-at-limit")
def a_text_that_continues_elsewhere_was_cut(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """A greedy choice that the limit cut does not have `stop`: another response continues it.

    用量达到上限、且在其他响应中还有下文的贪心 choice，其 finish_reason 不会是 `stop`。
    """
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt, "")
        text = solid(sight.text)
        goes_on = bool(text) and usual.startswith(text) and len(usual) > len(text)
        if sight.stops or not goes_on:
            continue
        yield sight.exchange
        if sight.choice.finish_reason == "stop" and _has_full_usage(sight):
            name = f"{sight.choice.where}.finish_reason"
            expected = say(
                '{name} = "length" after {limit} tokens of a text that continues',
                name=name,
                limit=sight.limit,
            )
            yield Violation(Failure(expected, say('{name} = "stop"', name=name)), (sight.exchange,))


@invariant_across("finish-reason.same-text-everywhere", requirement="finish-reason.length-at-limit")
def the_same_text_is_cut_every_time(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """No greedy choice without a stop match has `stop` if the same limit cut another of its text.

    与被同一上限截断者文本相同的贪心 choice，除非遇到停止序列，否则不会是 `stop`。

    The usage of the other one shows that it was cut.
    """
    for sights in _same_texts(exchanges):
        cut = [s for s in sights if s.choice.finish_reason == "length" and _has_full_usage(s)]
        for sight in sights if cut else ():
            yield sight.exchange
            if sight.choice.finish_reason == "stop":
                name = f"{sight.choice.where}.finish_reason"
                expected = say(
                    '{name} = "length", as in other responses with the same text', name=name
                )
                yield Violation(
                    Failure(expected, say('{name} = "stop"', name=name)),
                    (sight.exchange, cut[0].exchange),
                )


@invariant_across(
    "finish-reason.natural-end-everywhere", requirement="finish-reason.stop-at-natural-end"
)
def what_ends_by_itself_was_not_cut(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """A greedy choice that ended by itself has no `length`: another with its text ended so.

    与同一上限之内自行结束者文本相同的贪心 choice，其 finish_reason 不会是 `length`。
    """
    for sights in _same_texts(exchanges):
        ended = [s for s in sights if s.choice.finish_reason == "stop" and _has_usage_below(s)]
        for sight in sights if ended else ():
            yield sight.exchange
            if sight.choice.finish_reason == "length":
                name = f"{sight.choice.where}.finish_reason"
                expected = say(
                    '{name} = "stop", as in other responses with the same text', name=name
                )
                seen = Failure(expected, say('{name} = "length"', name=name))
                yield Violation(seen, (sight.exchange, ended[0].exchange))


@invariant("finish-reason.few-tokens-everywhere", requirement="finish-reason.stop-at-natural-end")
def a_choice_with_few_tokens_was_not_cut(exchange: RecordedExchange) -> None:
    """No choice has `length` if both its tokens and its usage are below the limit.

    token 数与用量都低于上限的 choice，其 finish_reason 不会是 `length`。
    """
    request = exchange.request
    if (
        request.echo
        or not 1 <= request.limit <= MAX_TOKENS_IN_ANY_CONTEXT
        or request.best_of > request.n
    ):
        raise NotApplicable(say("the number of tokens of the choice is unknown"))
    choices = [choice for _, choice in exchange.numbered]
    listed = [len(readable_tokens(choice)) for choice in choices]
    if sum(listed) != exchange.usage.completion_tokens:
        return
    for choice, tokens in zip(choices, listed, strict=True):
        if 0 < tokens < request.limit:
            expect(
                choice.finish_reason, say("finish_reason after {count} tokens", count=tokens)
            ).one_of("stop", "content_filter")


@invariant(
    "finish-reason.no-tokens-everywhere",
    requirement="finish-reason.length-has-tokens",
)
def no_limit_is_reached_without_a_token(exchange: RecordedExchange) -> None:
    """No response without text and completion tokens has `length` in all its choices.

    没有文本也没有补全 token 的响应，其 choice 不会都是 `length`。
    """
    if not 1 <= exchange.request.limit <= MAX_TOKENS_IN_ANY_CONTEXT:
        raise NotApplicable(say("nothing may be generated, or the context may be full"))
    if any(choice.finish_reason != "length" for choice in exchange.completion.choices):
        raise NotApplicable(say("no choice was cut, or not all of them"))
    if any(exchange.generated(number, choice) for number, choice in exchange.numbered):
        return
    count = exchange.usage.completion_tokens
    if count == 0:
        raise Failure(
            say('at least one token of a response that ends by "length"'),
            say("no text and no token"),
        )


@invariant_across(
    "finish-reason.stop-everywhere",
    requirement="finish-reason.stop-at-sequence",
)
def every_stopped_choice_has_stop(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """Every greedy choice whose text ends at its stop sequence has `stop`.

    文本恰在停止序列处结束的每个贪心 choice，其 finish_reason 都是 `stop`。
    """
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        before, _ = place_of_stop(sight, greedy)
        if sight.text != before:
            continue
        yield sight.exchange
        if sight.choice.finish_reason == "length":
            name = f"{sight.choice.where}.finish_reason"
            yield Violation(
                Failure(say('{name} = "stop"', name=name), say('{name} = "length"', name=name)),
                (sight.exchange,),
            )


def _same_texts(exchanges: Sequence[RecordedExchange]) -> list[list[Sight]]:
    """Group the greedy choices that have the same text under the same limit."""
    groups: dict[object, list[Sight]] = defaultdict(list)
    for sight in greedy_in(exchanges).sights:
        if sight.text and not sight.stops and 1 <= sight.limit <= MAX_TOKENS_IN_ANY_CONTEXT:
            groups[sight.prompt, sight.limit, sight.text].append(sight)
    return list(groups.values())


def _is_full(choice: Choice, limit: int) -> bool:
    """Return whether a choice lists as many tokens as its limit, all visible in its text."""
    try:
        tokens = readable_tokens(choice)
    except NotApplicable:
        return False
    joined, known = join_tokens(tokens)
    shows = known and all(tokens) and joined == choice.text
    return shows and len(tokens) == limit and choice.finish_reason in REASONS


def _has_full_usage(sight: Sight) -> bool:
    """Return whether the usage shows that every choice of the response reached the limit."""
    request = sight.exchange.request
    return request.best_of == request.n and _usage_of(sight) == sight.limit * request.choices


def _has_usage_below(sight: Sight) -> bool:
    """Return whether the usage shows that the only choice has fewer tokens than its limit."""
    return sight.exchange.request.choices == 1 and 0 < _usage_of(sight) < sight.limit


def _usage_of(sight: Sight) -> int:
    """Return the completion tokens of a choice's response; 0 if it has no usage."""
    try:
        return sight.exchange.usage.completion_tokens
    except Judgement:
        return 0
