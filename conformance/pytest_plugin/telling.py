"""A deviation as pytest's output shows it: plain lines, nothing that acts on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Finding, Run
from conformance.reports.case import case_of
from conformance.reports.summary import Summary
from conformance.reports.visible import cut, line, lines

LONGEST = 600
"""Characters of one value: checks keep them short, a hostile endpoint may not."""


def told(run: Run, finding: Finding) -> str:
    """Write what was promised, expected and seen, what is likely behind it, and how to see it."""
    return "\n".join(_lines(run, finding))


def _lines(run: Run, finding: Finding) -> Iterator[str]:
    case = case_of(Summary(run), finding)
    sentence = case.requirement
    yield cut(line(finding.title), LONGEST)
    if sentence is not None:
        yield _row(sentence.level.value, f"{sentence.statement} ({sentence.id})")
    for source in case.sources:
        yield _row(source.document, source.says.en)
    if finding.expected is None:
        yield _row("seen", finding.message)
    else:
        yield _row("expected", finding.expected)
        yield _row("seen", finding.seen or "")
    if case.cause is not None:
        yield _row("likely", case.cause.cause)
        yield _row("to do", case.cause.remedy)
    if case.command:
        # Whole, or it could not be pasted; its own lines end in backslashes.
        yield f"  {'again':<12} {lines(case.command)}"


def _row(name: str, words: str) -> str:
    return f"  {name:<12} {cut(line(words), LONGEST)}"
