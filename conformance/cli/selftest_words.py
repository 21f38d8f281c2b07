"""What came of a selftest, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.reports.words import listed, plural
from conformance.selftest.matrix import Matrix


def sentence(matrix: Matrix) -> str:
    """Sum up what is found by each tier, and how many correct servers are accused."""
    return " ".join(_sentences(matrix))


def _sentences(matrix: Matrix) -> Iterator[str]:
    if matrix.rows:
        row = matrix.rows[-1]
        shown = max((share.of for share in row.by_tier.values()), default=0)
        found = [
            f"{tier.value} finds {share.found} ({share.percent} %)"
            for tier, share in row.by_tier.items()
            if share.of
        ]
        if found:
            yield f"Of {plural(shown, 'fault')} that show everywhere {listed(found)}."
        if row.hidden.of:
            yield (
                f"Where a fault hides, {matrix.tiers[-1].value} finds it {row.hidden.found} times"
                f" of {row.hidden.of} ({row.hidden.percent} %)."
            )
    if matrix.honest:
        correct = {outcome.trial.name for outcome in matrix.honest}
        accused = {outcome.trial.name for outcome in matrix.honest if outcome.false_alarms}
        yield f"Of {plural(len(correct), 'correct server')} {len(accused)} accused."
