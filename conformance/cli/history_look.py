"""``conformance history list`` and ``show``: what a history has, in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.help import examples
from conformance.cli.history_shared import as_text_or_json, between, found, in_folder
from conformance.cli.options import in_language
from conformance.cli.terminal import say
from conformance.history import Entry
from conformance.history.changes import Step, judged, steps
from conformance.input_files import one_line
from conformance.language import Language, Text
from conformance.model import Conclusion, ExitCode
from conformance.report.locale.terms import HEADLINES, plural
from conformance.report.sanitize import line


@click.command(name="list")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@between
@as_text_or_json
@in_folder
@in_language
def list_runs(
    targets: Sequence[str], *, since: str, before: str, form: str, folder: Path, language: Language
) -> ExitCode:
    """List runs by target and time; TARGET is a name or a glob."""
    _, entries = found(folder, targets, since, before)
    if form == "json":
        click.echo(json.dumps([entry.as_json() for entry in entries], indent=2))
        return ExitCode.CONFORMING
    rows = [
        (
            entry.started_at[:16].replace("T", " "),
            entry.target,
            entry.region or "",
            entry.tier,
            _verdict(entry, language),
            plural(len(entry.findings), "finding"),
            plural(entry.requests, "request"),
        )
        for entry in entries
    ]
    for row in _aligned(rows):
        click.echo(row)
    if not rows:
        say(f"no run in {folder} matches")
    return ExitCode.CONFORMING


def _verdict(entry: Entry, language: Language) -> str:
    return HEADLINES[Conclusion(entry.conclusion)].of(language)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows with columns of equal width."""
    shown = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


@click.command(
    epilog=examples("conformance history show zero", "conformance history show zero --since 7d")
)
@click.argument("target", metavar="TARGET")
@between
@as_text_or_json
@in_folder
@in_language
def show(
    target: str, *, since: str, before: str, form: str, folder: Path, language: Language
) -> ExitCode:
    """Show the runs of one target, and what changed from each to the next.

    Runs are compared with the one before of the same region, tier and contract. A finding that
    appeared has a plus, one that is gone a minus; gone is also what this run could not judge.
    """
    _, entries = found(folder, [target], before=before)
    # What is before the first day decides what changed on it.
    shown = [step for step in steps(entries) if step.entry.started_at >= since]
    if not shown:
        raise UserError(
            f"no run of {one_line(repr(target), 80)} in {folder}; `conformance history list` "
            "shows all"
        )
    if form == "json":
        click.echo(json.dumps(list(map(_as_json, shown)), indent=2))
        return ExitCode.CONFORMING
    for step in shown:
        for row in _lines_of(step, language):
            click.echo(line(row))
    return ExitCode.CONFORMING


def _as_json(step: Step) -> dict[str, Any]:
    return {
        **step.entry.as_json(),
        "appeared": dict(step.appeared),
        "gone": dict(step.gone),
        "regressions": [turn.check for turn in step.regressions],
        "recoveries": [turn.check for turn in step.recoveries],
    }


def _lines_of(step: Step, language: Language) -> Iterator[str]:
    entry = step.entry
    words = (entry.target, entry.region, entry.tier, entry.contract_name)
    place = " ".join(word for word in words if word)
    at = entry.started_at[:16].replace("T", " ")
    yield f"{at}  {_verdict(entry, language)}  ({place})"
    if not step.is_comparable:
        yield f"  {ANEW.of(language)}"
    for check, verdict in step.appeared.items():
        yield f"  + {check} {verdict}"
    for check, verdict in step.gone.items():
        is_open = judged(entry, check) is None
        yield f"  - {check} {verdict}{NOT_JUDGED.of(language) if is_open else ''}"


ANEW = Text(
    "another version of the suite or of the contract: changes may be due to that",
    "套件或契约的版本不同：变化可能由此引起",
)
NOT_JUDGED = Text(" (not judged in this run)", "（本次运行未判定）")
