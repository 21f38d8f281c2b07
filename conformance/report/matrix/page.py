"""The matrix as an HTML page; sorting and filtering need scripts, reading does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from conformance.language import Language, Text
from conformance.model import State, Verdict
from conformance.report.html import page
from conformance.report.locale.terms import HEADLINES
from conformance.report.matrix.build import NOT_RUN
from conformance.report.matrix.records import Matrix, Row
from conformance.report.sanitize import lines
from conformance.report.summary_rows import CALM

STATES: Mapping[str, int] = {
    State.IGNORED.value: 0,
    State.ALTERED.value: 1,
    State.REFUSED.value: 2,
    State.UNCLEAR.value: 3,
    State.UNTESTED.value: 4,
    State.ACCEPTED.value: 5,
    State.HONOURED.value: 6,
}
"""Sort order of states, the worst first."""

VERDICTS: Mapping[str, int] = {
    Verdict.FAIL.value: 0,
    Verdict.ERROR.value: 1,
    Verdict.INCONCLUSIVE.value: 2,
    Verdict.WARN.value: 3,
    Verdict.REFUSED.value: 4,
    Verdict.EXPECTED.value: 5,
    Verdict.EXPLAINED.value: 6,
    Verdict.SKIPPED.value: 7,
    Verdict.INFO.value: 8,
    Verdict.PASS.value: 9,
}

TITLE = Text("Conformance of {n} targets", "{n} 个目标与契约的符合情况")


def render(matrix: Matrix, language: Language = Language.ENGLISH) -> str:
    """Write the page.

    Args:
        matrix: what to show.
        language: the initial language; the page contains both.
    """
    ran = [row for row in matrix.rows if row.conclusion] or list(matrix.asked)
    return page.render(
        "matrix.html.j2",
        title=TITLE.format(n=len(ran)),
        language=language,
        styles=("matrix.css",),
        scripts=("matrix.js",),
        matrix=matrix,
        ran=ran,
        not_run=[row for row in matrix.rows if row not in ran],
        parameters=_worst_first(matrix.parameters, ran, "cells"),
        fields=_worst_first(matrix.fields, ran, "cells"),
        common_parameters=_worst_first(_shared(matrix.parameters, ran), ran, "common"),
        common_fields=_worst_first(_shared(matrix.fields, ran), ran, "common"),
        conclusions=_conclusions(ran),
        states_met=_states(matrix),
        state_rank=STATES,
        verdict_rank=VERDICTS,
        checked=frozenset(subject.name for subject in matrix.subjects),
        anchor=_anchor,
        calm=CALM,
        evidence=_evidence,
        breakable=_breakable,
    )


def _shared(names: Iterable[str], ran: Sequence[Row]) -> list[str]:
    """Return the names that the common contract has."""
    return [name for name in names if any(name in row.common for row in ran)]


def _worst_first(
    names: Iterable[str], ran: Sequence[Row], kind: Literal["cells", "common"]
) -> list[str]:
    """Put what deviates anywhere first, and keep the order of the contract otherwise."""

    def rank(name: str) -> int:
        shown = [row.cells if kind == "cells" else row.common for row in ran]
        cells = [one[name] for one in shown if name in one]
        ranks = [STATES[cell.state.value] for cell in cells if cell.documented or cell.seen]
        worst = min(ranks, default=_CALM_RANK)
        return min(worst, _CALM_RANK)

    return sorted(names, key=rank)


_CALM_RANK = STATES[State.UNTESTED.value]
"""Rank of the states that need no attention."""


def _conclusions(ran: Iterable[Row]) -> Mapping[str, Text]:
    """Return the conclusions that occur, for the filter."""
    return {
        str(row.conclusion or "not run"): HEADLINES[row.conclusion] if row.conclusion else NOT_RUN
        for row in ran
    }


def _states(matrix: Matrix) -> tuple[str, ...]:
    """Return the states that occur, the worst first."""
    met = {cell.state.value for row in matrix.rows for cell in row.cells.values()}
    return tuple(state for state in STATES if state in met)


def _evidence(row: Row, finding: str | None) -> str | None:
    """Return the link to a finding in the target's report; None if there is no such page."""
    return f"{row.page}#{_anchor(finding)}" if row.page and finding else None


def _anchor(name: str) -> str:
    """Return the fragment of a link to an id, in which control characters are made visible."""
    return quote(lines(name))


def _breakable(name: str) -> list[str]:
    """Split a long name at the places where a narrow column may break it."""
    parts = name.replace("_", "_\0").replace(".", "\0.").replace("-", "-\0")
    return [part for part in parts.split("\0") if part]
