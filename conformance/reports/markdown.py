"""``summary.md``: the run in a screenful, for the page of a CI job.

What came from outside stands in code spans, which no text can close: the span's fence is longer
than any run of backticks inside. A bare link in an answer would otherwise be clicked.
"""

from __future__ import annotations

import re

import markupsafe

from conformance.causes import Cause
from conformance.model import Run, State
from conformance.reports.case import Case, case_of
from conformance.reports.difference import Pieces
from conformance.reports.summary import Row, Summary, duration, plural
from conformance.reports.visible import cut, line

WIDEST = 300
"""Characters of an expected or seen value that a table cell shows."""

MOST = 50
"""Findings that are listed; a CI page cuts off what is longer, in an ugly place."""

MOST_CASES = 20
"""Deviations that are told at length below the table."""

_MARKS = {
    State.HONOURED: "✅",
    State.ALTERED: "⚠️",
    State.IGNORED: "❌",
    State.REFUSED: "🚫",
    State.UNTESTED: "▫️",
}


def render(run: Run, key_env: str | None = None) -> str:
    """Write the summary as GitHub-flavoured Markdown.

    Args:
        run: what to write down.
        key_env: the environment variable that command lines read the key from; by default the one
            that the run read it from.
    """
    summary = Summary(run)
    parts = [
        f"## {summary.headline}",
        prose(summary.sentence),
        _because(summary),
        _facts(summary),
        _counts(summary),
        _findings(summary),
        _cases(summary, key_env),
        _states(summary),
        _beyond(summary),
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
    rows += [_finding(case_of(summary, finding)) for finding in summary.troubles[:MOST]]
    table = "\n".join(rows)
    left = len(summary.troubles) - MOST
    return f"{table}\n\n{plural(left, 'more finding')} in the full report." if left > 0 else table


def _finding(case: Case) -> str:
    finding = case.finding
    expected, seen = (_told_apart(pieces) for pieces in case.compared)
    expected = expected or escape(finding.title)
    seen = seen or code(finding.message)
    return f"| {finding.verdict.value} | {code(finding.id)} | {expected} | {seen} |"


def _told_apart(pieces: Pieces) -> str:
    """Write a value as code, what differs in bold; a value that is long as it begins."""
    written, room = [], WIDEST
    for piece in pieces:
        if room <= 0:
            break
        span = code(cut(piece.text, room))
        written.append(f"**{span}**" if piece.differs and len(pieces) > 1 else span)
        room -= len(piece.text)
    return "".join(written)


def _cases(summary: Summary, key_env: str | None) -> str:
    """Tell of the first deviations what a vendor's engineer will ask, folded away."""
    cases = [case_of(summary, finding, key_env) for finding in summary.troubles]
    told = [_case(case, case.cause) for case in cases if case.cause is not None]
    return "\n\n".join(told[:MOST_CASES])


def _case(case: Case, cause: Cause) -> str:
    finding, sentence = case.finding, case.requirement
    promised = [f"- promised by {code(name)}: {escape(words)}" for name, words in case.sources]
    told = [
        f"<details><summary>{html(finding.id)}</summary>",
        prose(sentence.statement if sentence else finding.title),
        "\n".join(
            [
                *promised,
                f"- likely cause: {prose(cause.cause)}",
                f"- what to do: {prose(cause.remedy)}",
            ]
        ),
        _block(case.command) if case.command else "",
        "</details>",
    ]
    return "\n\n".join(part for part in told if part)


def _block(command: str) -> str:
    """Put a command line into a block of code that it cannot end."""
    longest = max((len(run) for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{command}\n{fence}"


def html(text: str) -> str:
    """Write a text where Markdown expects HTML."""
    return str(markupsafe.escape(line(text)))


def _states(summary: Summary) -> str:
    rows = [row for row in summary.rows_of("parameter") if row.subject.documented]
    if not rows:
        return ""
    head = "| parameter | state | promise |\n| --- | --- | --- |"
    return "\n".join([head, *(_state(row) for row in rows)])


def _beyond(summary: Summary) -> str:
    """Tell what became of parameters that the document does not mention."""
    if not summary.beyond:
        return ""
    head = f"Not promised by {code(summary.run.header.document)}, for information"
    rows = [f"{code(row.subject.name)} {row.state.value}" for row in summary.beyond]
    return f"{head}: {', '.join(rows)}"


def _state(row: Row) -> str:
    name, promise = code(row.subject.name), escape(cut(row.subject.promise, WIDEST))
    return f"| {name} | {_MARKS[row.state]} {row.state.value} | {promise} |"


def _gaps(summary: Summary) -> str:
    if not summary.gaps:
        return ""
    told = [f"- {len(gap.left_open)} {gap.why}" for gap in summary.gaps]
    return "\n".join(["**Not verified**", "", *told])
