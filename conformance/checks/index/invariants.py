"""``index`` of every choice of a run: each once, and that of its own prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.counts import choice_count
from conformance.checks._shared.greedy import greedy_in
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.requests import choices_in_chunk
from conformance.judgement import Failure, Judgement, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.trace import RecordedExchange, Violation

MIN_TELLING_CHARS = 8
"""Characters that the completions of two prompts do not share by chance."""


@invariant("index.each-once-everywhere", requirement="index.each-once")
def every_choice_has_its_number(exchange: RecordedExchange) -> None:
    """The choices of every response have the indexes from 0, each once.

    每个响应的 choice 的 index 从 0 开始，每个恰好出现一次。
    """
    wanted, completion = exchange.request.choices, exchange.completion
    if choice_count(exchange) != wanted:
        raise NotApplicable(
            say("the number of choices is not the requested one (covered by another check)")
        )
    if completion.chunks:
        parts = [part for chunk in completion.chunks for part in choices_in_chunk(chunk)]
        numbers = {shown(part.get("index")) for part in parts}
        indexes = sorted(numbers, key=lambda number: (len(number), number))
    else:
        indexes = [shown(choice.raw.get("index")) for choice in completion.choices]
    expect(indexes, say("the list of indexes")).equals([str(i) for i in range(wanted)])


@invariant_across(
    "index.prompt-major-everywhere",
    requirement="index.prompt-major",
)
def every_choice_continues_its_own_prompt(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No choice of a batch has the index of one prompt and the echo or completion of another.

    批次中没有任何 choice 使用一个 prompt 的 index，却带着另一个的回显或补全。
    """
    greedy = greedy_in(exchanges)
    for exchange in exchanges:
        echo = _echo_of_another(exchange)
        if echo is not None:
            yield Violation(echo, (exchange,))
    for sight in greedy.sights:
        prompts, own = sight.exchange.request.prompts, greedy.settled.get(sight.prompt)
        text = sight.text[:MIN_TELLING_CHARS]
        others = [greedy.settled.get(other) for other in prompts if other != sight.prompt]
        if len(prompts) > 1:
            yield sight.exchange
        if own is None or sight.stops or len(text) < MIN_TELLING_CHARS or own.startswith(text):
            continue
        if any(other is not None and other.startswith(text) for other in others):
            expected = say(
                "{name} to continue like {text}", name=sight.choice.where, text=shown(own)
            )
            yield Violation(Failure(expected, shown(sight.text)), (sight.exchange,))


def _echo_of_another(exchange: RecordedExchange) -> Failure | None:
    """Find a choice that echoes another prompt of its batch than its own."""
    try:
        request = exchange.request
        prompts = request.prompts if request.echo else ()
        numbered = exchange.numbered
    except Judgement:
        return None
    for number, choice in numbered if len(prompts) > 1 else ():
        own, text = prompts[number], choice.raw.get("text")
        if not isinstance(own, str) or not isinstance(text, str) or text.startswith(own):
            continue
        others = [other for other in prompts if isinstance(other, str) and other]
        # A text that has its own prompt as well is no other choice's.
        if own not in text and any(map(text.startswith, others)):
            return Failure(
                say("{name}.text to start with {text}", name=choice.where, text=shown(own)),
                shown(text),
            )
    return None
