"""Tokens behind a stop sequence: none is listed, and none is counted.

The token that completes the sequence may be both. An engine that drafts several tokens at a time,
or looks for sequences only now and then, has further tokens by then, which the text does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import ends_of
from conformance.checks._shared.greedy import Sight, greedy_in
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.readable_tokens import readable_tokens, scored_choices
from conformance.judgement import Failure, Judgement, NotApplicable, shown
from conformance.message import say, verbatim
from conformance.protocol.completion import Choice
from conformance.protocol.request import Prompt
from conformance.protocol.trace import RecordedExchange, Violation

END_TOKENS = 1
"""Tokens that usage may count beyond those that are needed: one that ends a text."""


@invariant("stop.no-token-behind-everywhere", requirement="stop.no-token-listed-behind")
def no_token_is_listed_behind_the_sequence(exchange: RecordedExchange) -> None:
    """In every choice ended by a stop sequence, no token follows the one that completes it.

    在每个因停止序列而结束的 choice 中，补全该序列的 token 之后没有其他 token。
    """
    stops = stops_in_force(exchange)
    if exchange.request.echo:
        raise NotApplicable(say("the prompt also has entries"))

    def judge(choice: Choice) -> None:
        if choice.finish_reason != "stop":
            raise NotApplicable(say("not applicable to this response"))
        tokens = readable_tokens(choice)
        needed = tokens_needed(tokens, stops)
        if needed is None:
            raise NotApplicable(say("not applicable to this response"))
        behind = [token for token in tokens[needed:] if token]
        if behind:
            raise Failure(
                say(
                    "no token after {token}, which completes the stop sequence",
                    token=shown(tokens[needed - 1]),
                ),
                say("{count} more tokens: {tokens}", count=len(behind), tokens=shown(behind)),
            )

    assert_each(scored_choices(exchange), judge)


@invariant_across("stop.no-token-counted-everywhere", requirement="usage.none-behind-stop")
def no_token_is_counted_behind_the_sequence(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No greedy choice ended by a stop sequence counts tokens after the one that completes it.

    因停止序列而结束的贪心 choice，其用量不计入补全该序列的 token 之后的 token。

    Which token that is, another greedy response to the same prompt lists. A token that ends the
    text may be counted as well.
    """
    greedy = greedy_in(exchanges)
    listed: dict[Prompt, tuple[Sight, list[str]]] = {}
    for sight in greedy.sights:
        tokens = _tokens_of(sight)
        if len(tokens) > len(listed.get(sight.prompt, (None, []))[1]):
            listed[sight.prompt] = sight, tokens
    for sight in greedy.sights:
        known, tokens = listed.get(sight.prompt, (None, []))
        if known is None or known is sight:
            continue
        try:
            stops = stops_in_force(sight.exchange)
            counted = sight.exchange.usage.completion_tokens
            alone = sight.exchange.request.choices == sight.exchange.request.best_of == 1
            ended = sight.choice.finish_reason == "stop"
        except Judgement:
            continue
        needed = tokens_needed(tokens, stops)
        if not alone or not ended or not needed or not known.text.startswith(sight.text):
            continue
        yield sight.exchange
        if counted > needed + END_TOKENS:
            failure = Failure(
                say(
                    "at most {most} completion_tokens, as token {needed} completes the stop"
                    " sequence",
                    most=needed + END_TOKENS,
                    needed=needed,
                ),
                verbatim(counted),
            )
            yield Violation(failure, (sight.exchange,), (known.exchange,))


def stops_in_force(exchange: RecordedExchange) -> list[str]:
    """Return the stop sequences of a request.

    Raises:
        NotApplicable: there are none, or more than the document allows.
    """
    stops = [stop for stop in exchange.request.stops if stop]
    limit = exchange.contract.parameter("stop").max_items
    if not stops or (limit is not None and len(stops) > limit):
        raise NotApplicable(say("there is no stop sequence, or more than the document allows"))
    return stops


def tokens_needed(tokens: Sequence[str], stops: Sequence[str]) -> int | None:
    """Return how many tokens there are up to the one that completes the first stop sequence.

    None if no sequence occurs in the tokens, as far as their bytes are known.
    """
    raw, ends = ends_of(tokens)
    found = [
        (raw.find(stop), len(stop)) for stop in (one.encode(errors="replace") for one in stops)
    ]
    completed = min((start + length for start, length in found if start >= 0), default=None)
    if completed is None:
        return None
    return next(number for number, end in enumerate(ends, start=1) if end >= completed)


def _tokens_of(sight: Sight) -> list[str]:
    """Return the tokens of a whole greedy choice; empty if they are not listed, or cut short."""
    if sight.stops or sight.echoes:
        return []
    try:
        return readable_tokens(sight.choice)
    except Judgement:
        return []
