"""``best_of`` in every response of a run: no more choices than ``n``."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.counts import choice_count
from conformance.judgement import Failure, Feature, NotApplicable
from conformance.message import say, verbatim
from conformance.protocol.trace import RecordedExchange


@invariant("best-of.returns-everywhere", requirement="best-of.returns-best", of=Feature.CHOICES)
def no_more_choices_than_n(exchange: RecordedExchange) -> None:
    """No response to a request with `best_of` has more choices than `n` for each prompt.

    凡是带 `best_of` 的请求，其响应对每个 prompt 都不会多于 `n` 个 choice。
    """
    if not exchange.request.has("best_of"):
        raise NotApplicable(say("no candidates were requested"))
    seen, wanted = choice_count(exchange), exchange.request.choices
    if seen > wanted:
        raise Failure(say("{count} choices", count=wanted), verbatim(seen))
