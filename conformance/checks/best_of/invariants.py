"""``best_of`` in every answer of a run: no more choices than ``n``."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.counts import choice_count
from conformance.judgement import Deviation, NotApplicable, Thing
from conformance.protocol.trace import Answered


@invariant("best-of.returns-everywhere", requirement="best-of.returns-best", of=Thing.CHOICES)
def candidates_stay_behind(answer: Answered) -> None:
    """No answer to a request with `best_of` has more choices than `n` for each prompt.

    凡是带 `best_of` 的请求，其响应对每个 prompt 都不会多于 `n` 个 choice。
    """
    if not answer.asked.has("best_of"):
        raise NotApplicable("no candidates were asked for")
    seen, wanted = choice_count(answer), answer.asked.choices
    if seen > wanted:
        raise Deviation(f"{wanted} choices", f"{seen}")
