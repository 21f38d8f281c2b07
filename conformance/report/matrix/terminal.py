"""The matrix for a terminal: one line per target, with its deviations by name."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import State
from conformance.report.console import CONCLUSIONS, STATE_MARKS
from conformance.report.matrix.records import Matrix, Row
from conformance.report.sanitize import cut, line

MAX_REASON_CHARS = 240
"""Maximum characters of a reason in the terminal; the HTML page shows all."""

_HEADS = (
    Words("Target", "目标"),
    Words("Verdict", "判定"),
    Words("Supported", "符合"),
    Words("Requests", "请求"),
    Words("Tokens", "token"),
    Words("Deviations", "偏差"),
)
_REPORTED = (State.IGNORED, State.ALTERED, State.REFUSED)


def render(matrix: Matrix, language: Language) -> RenderableType:
    """Render the matrix; deviating parameters are named, the others are counted.

    Args:
        matrix: what to show.
        language: the language of the output.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(_HEADS):
        table.add_column(head.of(language), justify="right" if place in {2, 3, 4} else "left")
    for row in matrix.rows:
        table.add_row(
            Text(line(row.name), style="bold"),
            Text(row.headline.of(language), style=_style(row)),
            _served(matrix, row),
            f"{row.cost.requests:,}" if row.cost else "",
            f"{row.cost.tokens:,}" if row.cost else "",
            _deviations(matrix, row, language),
        )
    return Group(Text(matrix.sentence.of(language), style="bold"), Text(), table)


def _style(row: Row) -> str:
    return CONCLUSIONS[row.conclusion] if row.conclusion else "dim"


def _served(matrix: Matrix, row: Row) -> str:
    """Count the documented parameters that work as promised."""
    promised = [name for name in matrix.parameters if name in row.cells]
    states = [row.cells[name].state for name in promised if row.cells[name].documented]
    return f"{states.count(State.HONOURED)}/{len(states)}" if states else ""


def _deviations(matrix: Matrix, row: Row, language: Language) -> Text:
    result = []
    for state in _REPORTED:
        mark, style = STATE_MARKS[state]
        names = [
            name
            for name in (*matrix.parameters, *matrix.fields)
            if name in row.cells and row.cells[name].documented and row.cells[name].state is state
        ]
        if names:
            result.append(Text(f"{mark} {line(', '.join(names))}", style=style))
    if row.because:
        result.append(Text(cut(line(row.because.of(language)), MAX_REASON_CHARS), style="dim"))
    return Text("  ").join(result)
