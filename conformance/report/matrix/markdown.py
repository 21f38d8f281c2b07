"""``matrix.md``: the matrix for a wiki or a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.language import Language, Text
from conformance.model import State
from conformance.report.locale.terms import STATES
from conformance.report.markdown import code, escape, prose
from conformance.report.matrix.records import Matrix, Row

_MARKS = {
    State.HONOURED: "✓",
    State.ACCEPTED: "·",
    State.ALTERED: "≠",
    State.IGNORED: "✗",
    State.REFUSED: "⊘",
    State.UNCLEAR: "?",
    State.UNTESTED: "○",
}
_TITLE = Text("Conformance of several targets", "多个目标与契约的符合情况")
_TARGETS = (
    Text("Target", "目标"),
    Text("Verdict", "判定"),
    Text("Summary", "摘要"),
    Text("Cost", "花费"),
    Text("Tier", "档位"),
    Text("Started", "开始于"),
)
_PARAMETER, _FIELD = Text("Parameter", "参数"), Text("Response field", "响应字段")
_EXPECTED = Text(" (expected)", "（已知）")
_SILENT = "–"


def render(matrix: Matrix, language: Language = Language.ENGLISH) -> str:
    """Write the matrix: targets first, then the state of each parameter and field."""
    lines = [f"# {_TITLE.of(language)}", "", escape(matrix.sentence.of(language)), ""]
    lines += _table(
        [head.of(language) for head in _TARGETS], [_target(row, language) for row in matrix.rows]
    )
    for head, names in ((_PARAMETER, matrix.parameters), (_FIELD, matrix.fields)):
        if names:
            lines += ["", *_states(matrix, head.of(language), names, language)]
    return "\n".join(lines) + "\n"


def _target(row: Row, language: Language) -> list[str]:
    result = prose(row.sentence.of(language)) if row.conclusion else ""
    reason = prose(row.because.of(language)) if row.because else ""
    return [
        f"[{escape(row.name)}](<{row.page}>)" if row.page else escape(row.name),
        escape(row.headline.of(language)),
        " ".join(filter(None, (result, reason))),
        escape(row.cost_in_words.of(language)) if row.cost_in_words else "",
        row.tier,
        escape(row.started_at),
    ]


def _states(matrix: Matrix, head: str, names: Sequence[str], language: Language) -> list[str]:
    run = [row for row in matrix.rows if row.conclusion]
    table = [[code(name), *(_state(row, name, language) for row in run)] for name in names]
    return list(_table([head, *(escape(row.name) for row in run)], table))


def _state(row: Row, name: str, language: Language) -> str:
    cell = row.cells.get(name)
    if cell is None or not (cell.documented or cell.seen):
        return _SILENT
    expected = _EXPECTED.of(language) if cell.is_expected else ""
    return f"{_MARKS[cell.state]} {STATES[cell.state].of(language)}{expected}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
