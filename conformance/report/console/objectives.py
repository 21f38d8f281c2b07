"""What a run says of the user's objectives, a line each."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.model import Run, Standing
from conformance.report.console.unwrapped import Indented
from conformance.report.objectives import (
    OBJECTIVES,
    STANDINGS,
    objectives_of,
    sentence_of,
    wanted_of,
)

MARKS: dict[Standing, tuple[str, str]] = {
    Standing.MET: ("✓", "green"),
    Standing.MISSED: ("✗", "bold red"),
    Standing.UNDECIDED: ("?", "yellow"),
}


def objectives(run: Run, language: Language) -> RenderableType | None:
    """Show what a run says of each objective; None if the user set none."""
    results = objectives_of(run)
    if not results:
        return None
    table = Table.grid(padding=(0, 2))
    for result in results:
        mark, style = MARKS[result.standing]
        table.add_row(
            Text(f"{mark} {STANDINGS[result.standing].of(language)}", style=style),
            wanted_of(result.objective).of(language),
            sentence_of(result).of(language),
        )
    return Group(Text(), Text(OBJECTIVES.of(language), style="bold"), Indented(table, 2))
