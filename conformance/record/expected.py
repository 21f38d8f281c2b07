"""Apply the expected deviations of a run's header to its findings; pure.

The record keeps the verdicts; what is expected is derived from them each time it is read, with the
day on which the run started. So a report that is written again says the same.

- A finding is expected if an entry names its check and expects its verdict: fail or warn, unless
  the entry says another one. Findings that another one explains count nowhere and need no entry.
- An entry is stale if every check that it names was judged and no finding is what it expects. A
  check that was skipped, was not selected, is inconclusive or is explained says nothing about it.
- An entry is no longer in force after its last day; from then on a run that judges one of its
  checks reports it, whatever it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from conformance.model import Expectation, Expected, Finding, Header, Run, State, Verdict
from conformance.record.conclusions import JUDGED, state_of

DEVIATIONS = frozenset({Verdict.FAIL, Verdict.WARN})
"""What an entry without a verdict expects."""

EXPECTABLE = (*sorted(DEVIATIONS), Verdict.REFUSED, Verdict.INCONCLUSIVE, Verdict.ERROR)
"""Verdicts that an entry can expect."""


def with_expected(run: Run) -> Run:
    """Return the run with its findings marked by the entries of its header that expect them."""
    file = run.header.expected
    if file is None:
        return replace(run, expected=None)
    today = day_of(run.header)
    expired = [entry for entry in file.entries if is_expired(entry, today)]
    in_force = [entry for entry in file.entries if entry not in expired]
    states = _states(run) if any(entry.state for entry in in_force) else {}
    findings = tuple(
        replace(finding, expectation=_entry_for(finding, in_force, states))
        for finding in run.findings
    )
    judged = {finding.id: finding for finding in findings if finding.verdict in JUDGED}
    return replace(
        run,
        findings=findings,
        expected=Expected(
            file,
            known=tuple(finding.id for finding in findings if finding.expectation),
            new=tuple(f.id for f in findings if f.expectation is None and decides(f, run.header)),
            stale=tuple(
                entry
                for entry in in_force
                if not entry.intermittent
                and entry.checks
                and judged.keys() >= set(entry.checks)
                and not any(_expects(entry, judged[check], states) for check in entry.checks)
            ),
            expired=tuple(
                entry for entry in expired if any(check in judged for check in entry.checks)
            ),
        ),
    )


def decides(finding: Finding, header: Header) -> bool:
    """Return whether a finding alone makes its run not conforming."""
    is_strict_warning = finding.verdict is Verdict.WARN and header.strict
    return finding.verdict is Verdict.FAIL or is_strict_warning


def named_checks(header: Header) -> frozenset[str]:
    """Return the ids of the checks that an entry in force names."""
    entries = header.expected.entries if header.expected else ()
    today = day_of(header)
    return frozenset(
        check for entry in entries if not is_expired(entry, today) for check in entry.checks
    )


def day_of(header: Header) -> str:
    """Return the day on which a run started, in UTC, as in ``2026-12-31``."""
    return header.started_at[:10]


def is_expired(entry: Expectation, today: str) -> bool:
    """Return whether the last day of an entry has passed; both are ISO dates."""
    return entry.expires is not None and entry.expires < today


def _states(run: Run) -> Mapping[str, State]:
    return {subject.name: state_of(subject, run.findings) for subject in run.header.subjects}


def _entry_for(
    finding: Finding, entries: Iterable[Expectation], states: Mapping[str, State]
) -> Expectation | None:
    expecting = (
        entry
        for entry in entries
        if finding.id in entry.checks and _expects(entry, finding, states)
    )
    return next(expecting, None)


def _expects(entry: Expectation, finding: Finding, states: Mapping[str, State]) -> bool:
    """Return whether a finding of a check that an entry names is what the entry expects."""
    verdicts = DEVIATIONS if entry.verdict is None else {entry.verdict}
    is_expected = finding.verdict in verdicts
    return is_expected and entry.state in {None, states.get(finding.subject)}
