"""The result of a selftest in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.report.locale.terms import listed, plural
from conformance.selftest.matrix import Matrix


def sentence(matrix: Matrix) -> str:
    """Summarise the detection rate per tier and the number of false positives."""
    return " ".join(_sentences(matrix))


def _sentences(matrix: Matrix) -> Iterator[str]:
    if matrix.rows:
        row = matrix.rows[-1]
        found = [
            f"{share.found} of {share.of} ({share.percent} %) at {tier.value}"
            for tier, share in row.by_tier.items()
            if share.of
        ]
        if found:
            yield f"Detected without a trigger: {listed(found)}."
        if row.hidden.of:
            yield (
                f"Detected with a trigger: {row.hidden.found} of {row.hidden.of} "
                f"({row.hidden.percent} %) at {matrix.tiers[-1].value}."
            )
    if matrix.conforming:
        correct = {outcome.trial.name for outcome in matrix.conforming}
        reported = {outcome.trial.name for outcome in matrix.conforming if outcome.false_alarms}
        yield f"False positives: {len(reported)} of {plural(len(correct), 'conforming server')}."
