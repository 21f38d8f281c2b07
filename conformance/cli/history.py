"""``conformance history``: keep the records of many runs, compressed, and look them up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks
from conformance.cli.folder import RECORD, fresh_folder, make_folder, records_below
from conformance.cli.help import examples
from conformance.cli.inputs import FOLDER
from conformance.cli.options import in_language
from conformance.cli.terminal import say
from conformance.history import (
    Added,
    Entry,
    History,
    IndexBrokenError,
    IndexBusyError,
    IndexUnwritableError,
)
from conformance.input_files import is_folder, one_line
from conformance.language import Language
from conformance.model import Conclusion, ExitCode
from conformance.record.line import RunFileError
from conformance.report.locale.terms import HEADLINES, plural
from conformance.report.sanitize import line

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER_NAME = "history"
REBUILD = "`conformance history rebuild` makes it again from the records"
_UNSAFE = re.compile(r"[^\w.-]+")
_AGO = re.compile(r"([0-9]{1,5})d")


@click.group(
    epilog=examples(
        "conformance history add today",
        "conformance history list --since 30d",
        "conformance history show zero",
    )
)
def history() -> None:
    """Keep the records of many runs, compressed, with an index.

    The records are the truth: the index can be deleted, and is made from them again.
    """


def _in(function: Function) -> Function:
    return click.option(
        "--history",
        "folder",
        type=FOLDER,
        default=FOLDER_NAME,
        show_default=True,
        metavar="DIR",
        help="Folder of the history.",
    )(function)


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Read a day, or a number of days ago; an empty text is none."""
    if value is None:
        return ""
    ago = _AGO.fullmatch(value.strip())
    try:
        if ago:
            return (datetime.now(UTC).date() - timedelta(days=int(ago[1]))).isoformat()
        return date.fromisoformat(value.strip()).isoformat()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{one_line(repr(value), 60)} is no day, such as 2026-12-01 or 30d for 30 days ago.",
            ctx,
            param,
        ) from None


def _between(function: Function) -> Function:
    since = click.option(
        "--since", callback=_day, metavar="DAY", help="Only runs from this day on, such as 30d."
    )
    before = click.option(
        "--before", callback=_day, metavar="DAY", help="Only runs before this day."
    )
    return since(before(function))


def _as_text_or_json(function: Function) -> Function:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How the result is printed.",
    )(function)


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what goes wrong with the files of a history into one sentence.

    Raises:
        UserError: with it.
    """
    try:
        with _index_sentences():
            yield
    except RunFileError as error:
        raise UserError(str(error)) from None


@contextmanager
def _index_sentences() -> Iterator[None]:
    """Turn what goes wrong with the index into one sentence.

    Raises:
        UserError: with it.
    """
    try:
        yield
    except IndexBusyError as error:
        raise UserError(f"{error}; try again when it has ended") from None
    except IndexUnwritableError as error:
        raise UserError(
            f"{error}, which is needed to read it, too; use an account that can write there, or a "
            "copy of the folder"
        ) from None
    except IndexBrokenError as error:
        raise UserError(f"{error}; {REBUILD}") from None


def _existing(folder: Path) -> History:
    """Return a history that is there.

    Raises:
        UserError: it is not.
    """
    if not is_folder(folder):
        raise UserError(
            f"there is no history {folder}; `conformance history add DIR` begins one, and "
            "--history names another"
        )
    return History(folder, say)


def _found(
    folder: Path, targets: Sequence[str], since: str = "", before: str = ""
) -> tuple[History, list[Entry]]:
    kept = _existing(folder)
    with _sentences(), kept.index() as index:
        return kept, index.entries(targets, since=since, before=before)


@history.command(
    epilog=examples(
        "conformance history add today", "conformance history add reports/* --history /srv/history"
    )
)
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@_in
def add(folders: Sequence[Path], folder: Path) -> ExitCode:
    """Add the runs of folders; the folders stay as they are.

    DIR is a run folder, its record, or a folder of run folders. Of two runs with the same key the
    newer one is kept. A run that is incomplete is left out: it can be resumed. A record that cannot
    be read is left out, too, and the exit code is then 4.
    """
    records = [record for given in folders for record in _records_of(given)]
    kept = History(folder, say)
    count = dict.fromkeys(Added, 0)
    unread: list[str] = []
    for record in records:
        try:
            with _index_sentences():
                outcome = kept.add(record)
        except RunFileError as error:
            unread.append(str(error))
            continue
        count[outcome] += 1
        if outcome is Added.INCOMPLETE:
            say(f"{record} is incomplete and is left out; `conformance run --resume` ends it")
        elif outcome is Added.OLDER:
            say(f"{record} is older than the run with the same key, which is kept")
    left_out = count[Added.OLDER] + count[Added.INCOMPLETE] + len(unread)
    if len(unread) < len(records):
        click.echo(
            f"{plural(count[Added.NEW], 'run')} added, {count[Added.REPLACED]} replaced, "
            f"{count[Added.KNOWN]} known, {left_out} left out"
        )
    _assert_all_read(unread)
    return ExitCode.CONFORMING


def _assert_all_read(mistakes: Sequence[str]) -> None:
    """Say which records could not be read, once everything was done with the others.

    Raises:
        UserError: there are any.
    """
    for mistake in mistakes[:-1]:
        say(mistake)
    if mistakes:
        raise UserError(mistakes[-1])


def _records_of(given: Path) -> list[Path]:
    """Return the records that an argument names.

    Raises:
        UserError: it is a folder without any.
    """
    records = records_below(given) if is_folder(given) else [given]
    if not records:
        raise UserError(f"no recorded run in {given}: no folder there contains {RECORD}")
    return records


@history.command(name="list")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@_between
@_as_text_or_json
@_in
@in_language
def list_runs(
    targets: Sequence[str], *, since: str, before: str, form: str, folder: Path, language: Language
) -> ExitCode:
    """List runs by target and time; TARGET is a name or a glob."""
    _, entries = _found(folder, targets, since, before)
    if form == "json":
        click.echo(json.dumps([asdict(entry) for entry in entries], indent=2))
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


@history.command(
    epilog=examples("conformance history show zero", "conformance history show zero --since 7d")
)
@click.argument("target", metavar="TARGET")
@_between
@_as_text_or_json
@_in
@in_language
def show(
    target: str, *, since: str, before: str, form: str, folder: Path, language: Language
) -> ExitCode:
    """Show the runs of one target, and what changed from each to the next.

    Runs are compared with the one before of the same region, tier and contract. A finding that
    appeared has a plus, one that is gone a minus.
    """
    _, entries = _found(folder, [target], since, before)
    if not entries:
        raise UserError(
            f"no run of {one_line(repr(target), 80)} in {folder}; `conformance history list` "
            "shows all"
        )
    shown = list(_with_changes(entries))
    if form == "json":
        rows = [
            {**asdict(entry), "appeared": appeared, "gone": gone} for entry, appeared, gone in shown
        ]
        click.echo(json.dumps(rows, indent=2))
        return ExitCode.CONFORMING
    for entry, appeared, gone in shown:
        words = (entry.target, entry.region, entry.tier, entry.contract_name)
        place = " ".join(word for word in words if word)
        at = entry.started_at[:16].replace("T", " ")
        click.echo(line(f"{at}  {_verdict(entry, language)}  ({place})"))
        for check, verdict in appeared.items():
            click.echo(line(f"  + {check} {verdict}"))
        for check, verdict in gone.items():
            click.echo(line(f"  - {check} {verdict}"))
    return ExitCode.CONFORMING


Findings = dict[str, str]


def _with_changes(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Findings, Findings]]:
    """Yield runs with the findings that appeared, or have another verdict, and that are gone."""
    before: dict[tuple[str | None, ...], Entry] = {}
    for entry in entries:
        group = (entry.target, entry.region, entry.tier, entry.contract_name)
        old = dict(before[group].findings) if group in before else {}
        new = dict(entry.findings)
        appeared = {check: verdict for check, verdict in new.items() if old.get(check) != verdict}
        gone = {check: verdict for check, verdict in old.items() if check not in new}
        before[group] = entry
        yield entry, appeared, gone


@history.command(
    epilog=examples(
        "conformance history export zero --since 30d --out zero-30",
        "conformance matrix zero-30",
    )
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@_between
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    metavar="DIR",
    help="Folder for the run folders; must be new or empty.",
)
@_in
def export(targets: Sequence[str], since: str, before: str, out: Path, folder: Path) -> ExitCode:
    """Write runs as run folders again, for report, compare, matrix and --rejudge."""
    kept, entries = _found(folder, targets, since, before)
    if not entries:
        raise UserError(f"no run in {folder} matches; `conformance history list` shows all")
    unread: list[str] = []
    with fresh_folder(out, "conformance", "history") as home:
        for entry in entries:
            # The record's own name ends in the digits of its key, so no two are the same.
            stem = f"{entry.target}-{Path(entry.path).name.removesuffix('.ndjson.gz')}"
            place = home / _UNSAFE.sub("-", stem).strip("-.")
            make_folder(place)
            try:
                write_chunks(place / RECORD, kept.lines_of(entry))
            except RunFileError as error:
                place.rmdir()
                unread.append(str(error))
            else:
                click.echo(place)
    _assert_all_read(unread)
    return ExitCode.CONFORMING


@history.command(
    epilog=examples(
        "conformance history prune --before 365d --dry-run", "conformance history prune old-vendor"
    )
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option("--before", callback=_day, metavar="DAY", help="Only runs before this day.")
@click.option("--dry-run", is_flag=True, help="Remove nothing; print what would be removed.")
@_in
def prune(targets: Sequence[str], before: str, dry_run: bool, folder: Path) -> ExitCode:
    """Remove runs from the history, and contracts that no other run needs."""
    if not targets and not before:
        raise click.UsageError("name what to remove: targets, --before DAY, or both")
    kept, entries = _found(folder, targets, before=before)
    for entry in entries:
        click.echo(kept.folder / entry.path)
    if dry_run:
        say(f"{plural(len(entries), 'run')} would be removed")
        return ExitCode.CONFORMING
    with _sentences():
        freed = kept.prune(entries)
    say(f"{plural(len(entries), 'run')} removed, {freed:,} bytes freed")
    return ExitCode.CONFORMING


@history.command()
@_in
def rebuild(folder: Path) -> ExitCode:
    """Make the index again from the records."""
    with _sentences():
        count = _existing(folder).rebuild()
    click.echo(f"{plural(count, 'run')} indexed")
    return ExitCode.CONFORMING
