"""Failures in pytest's output: plain lines without control characters."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Finding, Run
from conformance.report.case import case_of
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


def _lines(run: Run, finding: Finding) -> Iterator[str]:
    summary = Summary(run)
    case = case_of(summary, finding)
    sentence = case.requirement
    yield summary.sentence_of(finding).en
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
