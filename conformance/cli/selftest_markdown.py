"""The kill matrix as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from conformance.cli.selftest_summary import sentence
from conformance.report.markdown import code, escape, prose
from conformance.selftest.catalogue import Fault
from conformance.selftest.matrix import Matrix, Row, Share
from conformance.selftest.outcome import Outcome


def render(matrix: Matrix) -> str:
    """Write the tables, followed by missed faults and false positives by name."""
    return "\n".join(_lines(matrix)).rstrip("\n") + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    yield f"{escape(sentence(matrix))}\n"
    tiers = matrix.tiers
    if matrix.rows:
        heads = ["area", "faults", *(tier.value for tier in tiers), "with a trigger"]
        rows = ([*_shown(row), *_found(row), _share(row.hidden)] for row in matrix.rows)
        yield from _table(heads, rows)
        yield ""
    heads = ["tier", "runs", "median requests", "maximum", "median tokens", "maximum"]
    yield from _table(
        heads,
        (
            [price.tier.value, *(f"{n:,.0f}" for n in (price.runs, *price.requests, *price.tokens))]
            for price in matrix.prices
        ),
    )
    yield from _named("Missed", matrix.missed)
    yield from _named("Expected only at the deep tier", matrix.not_yet)
    yield from _reported(matrix.false_alarms)
    if matrix.everything and matrix.idle:
        yield "\n### Checks that detected no fault\n"
        yield ", ".join(code(check) for check in matrix.idle)


def _shown(row: Row) -> list[str]:
    total = max((share.of for share in row.by_tier.values()), default=0)
    return [escape(row.area), str(total)]


def _found(row: Row) -> Iterator[str]:
    return (_share(share) for share in row.by_tier.values())


def _share(share: Share) -> str:
    return f"{share.found} of {share.of} ({share.percent} %)" if share.of else "–"


def _named(title: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    if not outcomes:
        return
    yield f"\n### {title}\n"
    for outcome in outcomes:
        fault = outcome.trial.shown
        summary = prose(fault.summary) if isinstance(fault, Fault) else ""
        yield f"- {code(outcome.trial.name)} ({outcome.trial.tier.value}): {summary}"


def _reported(outcomes: Sequence[Outcome]) -> Iterator[str]:
    if not outcomes:
        return
    yield "\n### False positives\n"
    for outcome in outcomes:
        yield f"- {code(outcome.trial.name)} ({outcome.trial.tier.value})"
        yield from (f"  - {escape(alarm)}" for alarm in outcome.false_alarms)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
