"""Render a comparison for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from conformance.language import Language, Text
from conformance.model import ExitCode, Finding
from conformance.report.console import MAX_VALUE_CHARS, STATE_MARKS, VERDICT_MARKS, marked
from conformance.report.diff.changes import Changed
from conformance.report.diff.differences import Differences
from conformance.report.diff.sections import (
    Section,
    evidence_of,
    groups_of,
    lines_of,
    measured_on,
    sections_of,
    title_of,
)
from conformance.report.locale.terms import STATES, VERDICTS, listing
from conformance.report.sanitize import cut, line

_STYLES = {
    ExitCode.NOT_CONFORMING: "bold red",
    ExitCode.UNDECIDED: "bold yellow",
    ExitCode.NOTHING_RAN: "bold yellow",
    ExitCode.CONFORMING: "bold green",
}
_STATES = Text("Parameters and fields", "参数与字段")
_FIGURES = Text("Cost and latency", "费用与延迟")


def render(result: Differences, language: Language, most: int | None = None) -> RenderableType:
    """Render a comparison; control characters in text from the endpoint are made visible.

    Args:
        result: the comparison.
        language: the language of the output.
        most: maximum number of names in sections without evidence; None lists all.
    """
    return Group(*_blocks(result, language, most))


def _blocks(result: Differences, language: Language, most: int | None) -> Iterator[RenderableType]:
    style = _STYLES[result.exit_code]
    stop = "。" if language is Language.CHINESE else ". "
    headline = f"{result.headline.of(language)}{stop}"
    yield Styled.assemble((headline, style), marked(result.sentence.of(language)))
    for notice in result.notices:
        yield Styled.assemble(("! ", "yellow"), marked(notice.of(language)))
    for section in sections_of(result):
        body = (
            _section(section, language) if section.is_reported else _named(section, language, most)
        )
        yield from _titled(section.title.of(language), body)
    if result.turned:
        yield from _titled(_STATES.of(language), _states(result, language))
    yield from _titled(_FIGURES.of(language), _figures(result, language))


def _titled(title: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Styled()
    yield Styled(title, style="bold")
    yield Padding(body, (0, 0, 0, 2))


def _section(section: Section, language: Language) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for changed in section.changes:
        table.add_row(_turn(changed, language), _check(changed, language))
    return table


def _named(section: Section, language: Language, most: int | None) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for group in groups_of(section):
        names = listing([changed.finding.id for changed in group], most)
        table.add_row(str(len(group)), _turn(group[0], language), line(names.of(language)))
    return table


def _turn(changed: Changed, language: Language) -> Styled:
    """Render the old and the new verdict, or the only one."""
    known = [_verdict(one, language) for one in (changed.was, changed.now) if one is not None]
    return Styled(" → ").join(known)


def _verdict(finding: Finding, language: Language) -> Styled:
    mark, style = VERDICT_MARKS[finding.shown]
    return Styled(f"{mark} {VERDICTS[finding.shown].of(language)}", style=style)


def _check(changed: Changed, language: Language) -> RenderableType:
    evidence = Table.grid(padding=(0, 1))
    for what, words in evidence_of(changed):
        evidence.add_row(
            Styled(what.of(language), style="dim"), cut(line(words.of(language)), MAX_VALUE_CHARS)
        )
    title = marked(title_of(changed.finding).of(language))
    return Group(Styled(line(changed.finding.id), style="bold"), title, evidence)


def _states(result: Differences, language: Language) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for turned in result.turned:
        states = [
            Styled(f"{STATE_MARKS[state][0]} {STATES[state].of(language)}", STATE_MARKS[state][1])
            for state in (turned.was, turned.now)
        ]
        table.add_row(Styled(line(turned.name), style="bold"), Styled(" → ").join(states))
    return table


def _figures(result: Differences, language: Language) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    for figure in lines_of(result):
        table.add_row(
            figure.name.of(language),
            figure.was.of(language),
            figure.now.of(language),
            Styled(figure.by, style="dim"),
        )
    measured = measured_on(result)
    return Group(table, Styled(measured.of(language), style="dim")) if measured else table
