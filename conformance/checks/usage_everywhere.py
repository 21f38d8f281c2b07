"""``usage`` in every answer of a run: the counts by themselves, and against what was asked for."""

from __future__ import annotations

from conformance.answered import Answered
from conformance.checks import invariant
from conformance.checks.usage import hold_total


@invariant("usage.total-everywhere", requirement="usage.total-is-sum")
def every_total_is_the_sum(answer: Answered) -> None:
    """In every answer that has a bill `total_tokens` is the sum of the other two."""
    hold_total(answer.completion)
