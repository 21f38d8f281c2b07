"""``conformance history export``: runs of a history as run folders again, or as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks
from conformance.cli.folder import RECORD, fresh_folder, make_folder
from conformance.cli.help import examples
from conformance.cli.history_shared import assert_all_read, between, found, in_folder
from conformance.cli.inputs import FOLDER
from conformance.history import Entry, History
from conformance.history.store import name_of
from conformance.history.tables import NoParquetError, tables
from conformance.model import ExitCode
from conformance.record.line import RunFileError

_UNSAFE = re.compile(r"[^\w.-]+")


@click.command(
    epilog=examples(
        "conformance history export zero --since 30d --out zero-30",
        "conformance matrix zero-30",
        "conformance history export --parquet --out tables",
    )
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@between
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    metavar="DIR",
    help="Folder for the run folders; must be new or empty.",
)
@click.option(
    "--parquet",
    is_flag=True,
    help="Write runs.parquet and findings.parquet instead; needs the extra parquet.",
)
@in_folder
def export(
    targets: Sequence[str], *, since: str, before: str, out: Path, parquet: bool, folder: Path
) -> ExitCode:
    """Write runs as run folders again, for report, compare, matrix and --rejudge.

    With --parquet, write two tables for other programs: a row for each run, and one for each
    finding.
    """
    kept, entries = found(folder, targets, since, before)
    if not entries:
        raise UserError(f"no run in {folder} matches; `conformance history list` shows all")
    write = _write_tables if parquet else _write_folders
    unread: list[str] = []
    with fresh_folder(out, "conformance", "history") as home:
        for place in write(kept, entries, home, unread):
            click.echo(place)
    assert_all_read(unread)
    return ExitCode.CONFORMING


def _write_folders(
    kept: History, entries: Sequence[Entry], home: Path, unread: list[str]
) -> Iterator[Path]:
    for entry in entries:
        # The record's own name ends in the digits of its key, so no two are the same.
        place = home / _UNSAFE.sub("-", f"{entry.target}-{name_of(entry)}").strip("-.")
        make_folder(place)
        try:
            write_chunks(place / RECORD, kept.lines_of(entry))
        except RunFileError as error:
            place.rmdir()
            unread.append(str(error))
        else:
            yield place


def _write_tables(
    kept: History, entries: Sequence[Entry], home: Path, unread: list[str]
) -> Iterator[Path]:
    try:
        for name, pieces in tables(kept, entries, unread.append):
            write_chunks(home / name, pieces)
            yield home / name
    except NoParquetError as error:
        raise UserError(str(error)) from None
