"""``n`` in every response of a run: as many choices for each prompt as were requested."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.counts import assert_choice_count, choice_count
from conformance.judgement import Failure, Feature, NotApplicable
from conformance.message import say, verbatim
from conformance.protocol.trace import RecordedExchange


@invariant("n.choices-everywhere", requirement="n.count", of=Feature.N_CHOICES)
def every_prompt_has_n_choices(exchange: RecordedExchange) -> None:
    """Every response to a request with `n` has `n` choices for each prompt.

    凡是带 `n` 的请求，其响应对每个 prompt 都有这么多 choice。
    """
    if exchange.request.n == 1:
        raise NotApplicable(say("one choice was requested"))
    assert_choice_count(exchange, Feature.N_CHOICES)


@invariant("n.default-one-everywhere", requirement="n.default-one", of=Feature.CHOICES)
def one_choice_unless_more_are_asked_for(exchange: RecordedExchange) -> None:
    """Every response to a request without `n` has one choice for each prompt.

    凡是未设置 `n` 的请求，其响应对每个 prompt 都只有一个 choice。
    """
    if exchange.request.has("n", "best_of"):
        raise NotApplicable(say("the request sets `n` or `best_of`"))
    seen, wanted = choice_count(exchange), exchange.request.choices
    if seen > wanted:
        raise Failure(say("{count} choices", count=wanted), verbatim(seen))
