"""``temperature`` 0 in every response of a run: equal requests repeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from conformance.checks import invariant_across
from conformance.checks._shared.invariants import Inspection
from conformance.judgement import Failure, Judgement, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.trace import RecordedExchange, Violation

MIN_RESPONSES = 5
"""Responses to one request from which on they are judged: near-ties flip now and then."""

MAX_SHOWN = 5
"""Texts that are shown as evidence."""


@invariant_across("temperature.zero-repeats-everywhere", requirement="temperature.zero-is-greedy")
def equal_greedy_requests_repeat(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """A greedy request that is sent again does not have another text nearly every time.

    同一贪心请求再次发送时，文本不会几乎每次都不同。

    Other checks send requests again where responses differ. Greedy responses part at a near-tie
    now and then, and then there are two texts; samples hardly ever agree.
    """
    responses: dict[bytes, list[tuple[RecordedExchange, str]]] = defaultdict(list)
    for exchange in exchanges:
        try:
            if exchange.request.raw.get("temperature") == 0:
                text = exchange.completion.only.text
                responses[exchange.exchange.request.body].append((exchange, text))
        except Judgement:
            continue
    for group in responses.values():
        yield from (exchange for exchange, _ in group[1:])
        distinct = dict.fromkeys(text for _, text in group)
        if len(group) < MIN_RESPONSES or len(distinct) < len(group) - 1:
            continue
        seen = say(
            "{count} texts in {answers} responses: {texts}",
            count=len(distinct),
            answers=len(group),
            texts=shown(list(distinct)[:MAX_SHOWN]),
        )
        failure = Failure(say("the same greedy text each time"), seen, effect=Effect.IGNORED)
        yield Violation(failure, tuple(exchange for exchange, _ in group))
