"""``stop`` in every response of a run: no sequence is returned, and no other text is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.characters import solid
from conformance.checks._shared.greedy import MIN_PROMPTS, Greedy, Sight, greedy_in, place_of_stop
from conformance.checks._shared.invariants import Inspection
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.trace import RecordedExchange, Violation


@invariant("stop.excluded-everywhere", requirement="stop.excluded-from-text")
def no_text_holds_its_stop_sequence(exchange: RecordedExchange) -> None:
    """No generated text contains a stop sequence of its request.

    无论流式与否，生成的文本都不含请求中的任何停止序列。
    """
    stops = [stop for stop in exchange.request.stops if stop]
    limit = exchange.contract.parameter("stop").max_items
    if not stops or (limit is not None and len(stops) > limit):
        raise NotApplicable(say("there is no stop sequence, or more than the document allows"))
    assert_none_in(exchange, stops)


@invariant("stop.none-dropped-everywhere", requirement="stop.none-silently-dropped")
def no_accepted_stop_sequence_is_dropped(exchange: RecordedExchange) -> None:
    """If more stop sequences are accepted than documented, no text contains any of them.

    若接受的停止序列多于文档规定，则没有任何文本含有其中之一。
    """
    stops = [stop for stop in exchange.request.stops if stop]
    limit = exchange.contract.parameter("stop").max_items
    if limit is None or len(stops) <= limit:
        raise NotApplicable(say("there are no more stop sequences than the document allows"))
    assert_none_in(exchange, stops)


@invariant_across("stop.streams-never-leak-everywhere", requirement="streaming.stop-never-leaks")
def no_stream_ends_in_a_piece_of_its_stop_sequence(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No greedy stream contains the first characters of its stop sequence at the end.

    任何贪心流都不会越过停止序列的位置而带出该序列的字符。
    """
    yield from leaked_pieces(exchanges, in_stream=True)


@invariant_across("stop.exact-everywhere", requirement="stop.earliest-match")
def no_text_ends_in_a_piece_of_its_stop_sequence(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No greedy text without streaming ends in the first characters of its stop sequence.

    任何非流式贪心文本都不会越过停止序列的位置而带出该序列的字符。
    """
    yield from leaked_pieces(exchanges, in_stream=False)


@invariant_across("stop.cut-at-match-everywhere", requirement="stop.earliest-match")
def nothing_but_a_sequence_ends_a_text(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """A greedy choice with finish_reason `stop` ends early only at a stop sequence.

    finish_reason 为 `stop` 的贪心 choice，若其文本在别处还有下文，则只会在停止序列之前结束。
    """
    greedy = greedy_in(exchanges)
    yield from (sight.exchange for sight in greedy.sights if sight.stops)
    own = {(sight.prompt, sight.text) for sight in greedy.sights if not sight.stops}
    cut = [
        s for s in greedy.sights if (s.prompt, s.text) not in own and is_cut_elsewhere(s, greedy)
    ]
    if len({sight.prompt for sight in cut}) < MIN_PROMPTS:
        return
    for sight in cut:
        usual = greedy.settled[sight.prompt]
        expected = say(
            "{usual}, cut before one of {stops}", usual=shown(usual), stops=shown(sight.stops)
        )
        yield Violation(Failure(expected, shown(sight.text)), (sight.exchange,))


@invariant_across("stop.held-text-released-everywhere", requirement="streaming.held-text-released")
def no_stream_keeps_what_it_held_back(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """A greedy stream without a match does not lose an ending that could begin a sequence.

    没有遇到停止序列的贪心流，不会缺少可能是停止序列开头的结尾。
    """
    greedy = greedy_in(exchanges)
    whole: dict[object, Sight] = {}
    for sight in greedy.sights:
        if not sight.stops and sight.choice.finish_reason == "length":
            known = whole.setdefault((sight.prompt, sight.limit), sight)
            if len(sight.text) > len(known.text):
                whole[sight.prompt, sight.limit] = sight
    for sight in greedy.sights:
        other = whole.get((sight.prompt, sight.limit))
        if not sight.in_stream or other is None or not other.text.startswith(sight.text):
            continue
        if sight.stops:
            yield sight.exchange
        lost = other.text[len(sight.text) :]
        met = any(stop in other.text for stop in sight.stops)
        if lost and not met and any(stop.startswith(lost) for stop in sight.stops):
            failure = Failure(say("text that ends with {end}", end=shown(lost)), shown(sight.text))
            yield Violation(failure, (sight.exchange, other.exchange))


def is_cut_elsewhere(sight: Sight, greedy: Greedy) -> bool:
    """Return whether a text ended by ``stop`` where no stop sequence of its request begins."""
    usual = greedy.settled.get(sight.prompt, "")
    rest = usual.removeprefix(sight.text)
    goes_on = usual.startswith(sight.text) and solid(sight.text) == sight.text and rest != ""
    stopped = sight.stops != () and sight.choice.finish_reason == "stop"
    return goes_on and stopped and not any(begins(stop, rest) for stop in sight.stops)


def begins(stop: str, rest: str) -> bool:
    """Return whether a text may begin with a sequence, as far as either is known."""
    return rest.startswith(stop) or stop.startswith(solid(rest))


def assert_none_in(exchange: RecordedExchange, stops: Sequence[str]) -> None:
    """Assert that no generated text of a response contains one of ``stops``."""
    for number, choice in exchange.numbered:
        text = exchange.generated(number, choice)
        met = next((stop for stop in stops if stop in text), None)
        if met is not None:
            raise Failure(
                say("{where}.text without {met}", where=choice.where, met=shown(met)),
                shown(text),
                effect=Effect.IGNORED,
            )


def piece_of_stop(sight: Sight, greedy: Greedy) -> str | None:
    """Return the beginning of its stop sequence that a text ends in, or None."""
    before, stop = place_of_stop(sight, greedy)
    if before is None or not sight.text.startswith(before):
        return None
    rest = sight.text[len(before) :]
    return rest if rest != stop and stop.startswith(rest) else None


def leaked_pieces(
    exchanges: Sequence[RecordedExchange], *, in_stream: bool
) -> Iterator[Inspection]:
    """Inspect the greedy texts with stop sequences, all of them streams or none."""
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        if sight.in_stream != in_stream or not sight.stops:
            continue
        yield sight.exchange
        leaked = piece_of_stop(sight, greedy)
        if leaked:
            expected = say("text up to its stop sequence, without {leaked}", leaked=shown(leaked))
            yield Violation(Failure(expected, shown(sight.text)), (sight.exchange,))
