"""Failures in pytest's output: plain lines without control characters."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Finding, Run
from conformance.record.conclusions import JUDGED
from conformance.record.expected import decides
from conformance.report.case import case_of
from conformance.report.expected import reason_of, why_expired, why_stale
from conformance.report.sanitize import cut, line, lines
from conformance.report.summary import Summary

MAX_VALUE_CHARS = 600
"""Maximum characters of one value."""


def report_lines(run: Run, finding: Finding) -> str:
    """Describe a failure: its sentence, the requirement, the evidence, cause, fix, a command."""
    return "\n".join(_lines(run, finding))


def sentence_line(run: Run, finding: Finding) -> str:
    """Say in one sentence what was found, as all reports do."""
    return line(Summary(run).sentence_of(finding).en)


def reason_line(finding: Finding) -> str:
    """Say why a finding is expected, and until when."""
    assert finding.expectation is not None  # noqa: S101 - asked for expected findings only
    return line(reason_of(finding.expectation).en)


def news_of_entries(run: Run, check: str) -> str | None:
    """Say which entries of the expected deviations are stale or have expired; None if none.

    Each entry has one check that reports it: the first judged one that it names. An entry that has
    expired is reported by the findings that it expected, if there are any.

    Args:
        run: the run.
        check: the id of the check that may have to report them.
    """
    if run.expected is None:
        return None
    judged = {finding.id: finding for finding in run.findings if finding.verdict in JUDGED}
    file = run.expected.file.name
    told = [(entry, why_stale(entry, file)) for entry in run.expected.stale]
    told += [
        (entry, why_expired(entry, file))
        for entry in run.expected.expired
        if not any(decides(judged[name], run.header) for name in entry.checks if name in judged)
    ]
    found = [
        line(why.en)
        for entry, why in told
        if next((name for name in entry.checks if name in judged), None) == check
    ]
    return "; ".join(found) or None


def expired_line(run: Run, finding: Finding) -> str | None:
    """Say that the entry which expected a finding has expired; None if there is none."""
    if run.expected is None:
        return None
    told = (
        line(why_expired(entry, run.expected.file.name).en)
        for entry in run.expected.expired
        if finding.id in entry.checks
    )
    return next(told, None)


def _lines(run: Run, finding: Finding) -> Iterator[str]:
    summary = Summary(run)
    case = case_of(summary, finding)
    sentence = case.requirement
    yield summary.sentence_of(finding).en
    if expired := expired_line(run, finding):
        yield _row("expired", expired)
    yield cut(line(finding.title), MAX_VALUE_CHARS)
    if sentence is not None:
        yield _row(sentence.level.value, f"{sentence.statement} ({sentence.id})")
    for source in case.sources:
        yield _row(source.document, source.says.en)
    if finding.expected is None:
        yield _row("actual", finding.message)
    else:
        yield _row("expected", finding.expected)
        yield _row("actual", finding.seen or "")
    if case.cause is not None:
        yield _row("likely cause", case.cause.cause)
        yield _row("fix", case.cause.remedy)
    if case.command:
        # Not truncated, so that it can be pasted.
        yield f"  {'reproduce':<12} {lines(case.command)}"
    if case.cause is not None:
        yield f"  {'by the suite':<12} {lines(case.suite_command)}"


def _row(name: str, words: str) -> str:
    return f"  {name:<12} {cut(line(words), MAX_VALUE_CHARS)}"
