"""``summary.md``: the run in a screenful, for the page of a CI job.

What came from outside stands in code spans, which no text can close: the span's fence is longer
than any run of backticks inside. A bare link in an answer would otherwise be clicked.
"""

from __future__ import annotations

import re

from conformance.model import Finding, Run, State
from conformance.reports.summary import Row, Summary, duration, plural
from conformance.reports.visible import cut, line

WIDEST = 300
"""Characters of an expected or seen value that a table cell shows."""

MOST = 50
"""Findings that are listed; a CI page cuts off what is longer, in an ugly place."""

_MARKS = {
    State.HONOURED: "✅",
    State.ALTERED: "⚠️",
    State.IGNORED: "❌",
    State.REFUSED: "🚫",
    State.UNTESTED: "▫️",
}


def render(run: Run) -> str:
    """Write the summary as GitHub-flavoured Markdown."""
    summary = Summary(run)
    parts = [
        f"## {summary.headline}",
        prose(summary.sentence),
        _because(summary),
        _facts(summary),
        _counts(summary),
        _findings(summary),
        _states(summary),
        _gaps(summary),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: str) -> str:
    """Put any text into a code span of one line that it cannot leave."""
    safe = cut(line(text), WIDEST).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if safe.startswith("`") or safe.endswith("`") or not safe else ""
    return f"{fence}{padding}{safe}{padding}{fence}"


def escape(text: str) -> str:
    """Write a sentence so that Markdown reads nothing into it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&]|:(?=//))", r"\\\1", line(text))


def prose(sentence: str) -> str:
    """Write a sentence of ours, in which backticks mark names."""
    ours, *rest = sentence.split("`")
    written = [escape(ours)]
    for place, part in enumerate(rest):
        written.append(escape(part) if place % 2 else code(part))
    return "".join(written)


def _facts(summary: Summary) -> str:
    header = summary.run.header
    told = [
        code(header.base_url),
        f"model {code(header.model)}",
        f"contract {code(header.contract)}",
        f"tier {header.tier.value}",
        summary.cost_in_words,
        duration(summary.elapsed),
    ]
    return " · ".join(told)


def _because(summary: Summary) -> str:
    return f"Because: {code(summary.because)}" if summary.because else ""


def _counts(summary: Summary) -> str:
    return " · ".join(f"**{count}** {verdict}" for verdict, count in summary.tally)


def _findings(summary: Summary) -> str:
    if not summary.troubles:
        return ""
    rows = ["| verdict | check | expected | seen |", "| --- | --- | --- | --- |"]
    rows += [_finding(finding) for finding in summary.troubles[:MOST]]
    table = "\n".join(rows)
    left = len(summary.troubles) - MOST
    return f"{table}\n\n{plural(left, 'more finding')} in the full report." if left > 0 else table


def _finding(finding: Finding) -> str:
    expected = code(finding.expected) if finding.expected else escape(finding.title)
    seen = code(finding.seen or finding.message)
    return f"| {finding.verdict.value} | {code(finding.id)} | {expected} | {seen} |"


def _states(summary: Summary) -> str:
    rows = [row for row in summary.rows_of("parameter") if row.subject.documented]
    if not rows:
        return ""
    head = "| parameter | state | promise |\n| --- | --- | --- |"
    return "\n".join([head, *(_state(row) for row in rows)])


def _state(row: Row) -> str:
    name, promise = code(row.subject.name), escape(cut(row.subject.promise, WIDEST))
    return f"| {name} | {_MARKS[row.state]} {row.state.value} | {promise} |"


def _gaps(summary: Summary) -> str:
    if not summary.gaps:
        return ""
    told = [f"- {len(gap.left_open)} {gap.why}" for gap in summary.gaps]
    return "\n".join(["**Not verified**", "", *told])
