"""The matrix for a terminal: one line per target with its deviations, then its causes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import State, Verdict
from conformance.report.console import CONCLUSIONS, STATE_MARKS, VERDICT_MARKS
from conformance.report.console.blocks import blocks
from conformance.report.console.clients import verdict_on_clients
from conformance.report.locale.terms import money
from conformance.report.matrix.records import Matrix, Recorded, Row
from conformance.report.objectives import missed_in_words
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_REASON_CHARS = 240
"""Maximum characters of a reason in the terminal; the HTML page shows all."""

MAX_CAUSE_LINES = 30
"""Maximum lines for the causes of all runs, so that they fit on one screen with the table."""

WITH_COMMANDS = 2
"""Maximum number of runs whose causes have commands."""

_NO_RUN = Words("No run of the contracts {names}.", "没有运行的契约：{names}。")
_HEADS = (
    Words("Target", "目标"),
    Words("Verdict", "判定"),
    Words("Supported", "符合"),
    Words("Requests", "请求"),
    Words("Tokens", "token"),
    Words("Deviations", "偏差"),
)
_MONEY = Words("Money", "金额")
_REPORTED = (State.IGNORED, State.ALTERED, State.REFUSED)


def render(matrix: Matrix, language: Language) -> RenderableType:
    """Render the matrix; deviating parameters are named, the others are counted.

    Args:
        matrix: what to show.
        language: the language of the output.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    has_money = any(row.money for row in matrix.asked)
    for place, head in enumerate(_HEADS):
        if has_money and head == _HEADS[-1]:
            table.add_column(_MONEY.of(language), justify="right")
        table.add_column(head.of(language), justify="right" if place in {2, 3, 4} else "left")
    for row in matrix.asked:
        table.add_row(
            Text(line(row.name), style="bold"),
            Text(row.headline.of(language), style=_style(row)),
            _served(matrix, row),
            f"{row.cost.requests:,}" if row.cost else "",
            f"{row.cost.tokens:,}" if row.cost else "",
            *([money(row.money).of(language) if row.money else ""] if has_money else []),
            _deviations(matrix, row, language),
        )
    shown: list[RenderableType] = [sentence(matrix, language), Text(), table]
    if matrix.others:
        names = line(", ".join(row.name for row in matrix.others))
        shown.append(Text(_NO_RUN.format(names=names).of(language), style="dim"))
    return Group(*shown)


def sentence(matrix: Matrix, language: Language) -> Text:
    """Count the targets by verdict in one line."""
    return Text(matrix.sentence.of(language), style="bold")


def besides(runs: Sequence[Recorded], language: Language) -> RenderableType | None:
    """Say of each run what decides the exit code beside the verdict: objectives and clients.

    Args:
        runs: the runs, in the order of the matrix.
        language: the language of the output.

    Returns:
        A line for each run with a missed objective, and one for each that was for clients; None if
        there is none.
    """
    shown: list[RenderableType] = []
    for one in runs:
        if one.run is None:
            continue
        missed = missed_in_words(one.run)
        told = [Text(missed.of(language))] if missed else []
        on_clients = verdict_on_clients(one.run, language)
        told += [on_clients] if on_clients else []
        name = (line(one.name), "bold")
        shown += [Text.assemble(name, "  ", words) for words in told]
    return Group(*shown) if shown else None


def causes(runs: Sequence[Recorded], console: Console, language: Language) -> RenderableType:
    """Show the causes of every run that has some, all together on one screen.

    Args:
        runs: the runs, in the order of the matrix.
        console: where they are printed, for its width.
        language: the language of the output.
    """
    troubled = [
        (one.name, summary)
        for one in runs
        if one.run is not None and (summary := Summary(one.run)).troubles
    ]
    room = max(MAX_CAUSE_LINES // max(len(troubled), 1) - 2, 2)
    few = len(troubled) <= WITH_COMMANDS
    shown: list[RenderableType] = []
    for name, summary in troubled:
        found = blocks(summary, console, language, room, commands=few)
        shown += [Text(), Text(line(name), style="bold"), Padding(Group(*found), (0, 0, 0, 2))]
    return Group(*shown)


def _style(row: Row) -> str:
    return CONCLUSIONS[row.conclusion] if row.conclusion else "dim"


def _served(matrix: Matrix, row: Row) -> str:
    """Count the documented parameters that work as promised, of those that were verified."""
    promised = [name for name in matrix.parameters if name in row.cells]
    states = [row.cells[name].state for name in promised if row.cells[name].documented]
    verified = [state for state in states if state not in _UNKNOWN]
    return f"{verified.count(State.HONOURED)}/{len(verified)}" if verified else ""


_UNKNOWN = frozenset({State.ACCEPTED, State.UNCLEAR, State.UNTESTED})
"""States of which nothing is known, for better or worse."""


def _named(names: Sequence[str], mark: tuple[str, str]) -> list[Text]:
    icon, style = mark
    return [Text(f"{icon} {line(', '.join(names))}", style=style)] if names else []


def _deviations(matrix: Matrix, row: Row, language: Language) -> Text:
    result: list[Text] = []
    cells = {
        name: row.cells[name]
        for name in (*matrix.parameters, *matrix.fields)
        if name in row.cells and row.cells[name].documented
    }
    for state in _REPORTED:
        names = [n for n, cell in cells.items() if cell.state is state and not cell.is_expected]
        result += _named(names, STATE_MARKS[state])
    known = [n for n, cell in cells.items() if cell.state in _REPORTED and cell.is_expected]
    result += _named(known, VERDICT_MARKS[Verdict.EXPECTED])
    if row.because:
        result.append(Text(cut(line(row.because.of(language)), MAX_REASON_CHARS), style="dim"))
    return Text("  ").join(result)
