"""``conformance history export``: runs of a history as run folders again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks
from conformance.cli.folder import RECORD, fresh_folder, make_folder
from conformance.cli.help import examples
from conformance.cli.history_shared import assert_all_read, between, found, in_folder
from conformance.cli.inputs import FOLDER
from conformance.model import ExitCode
from conformance.record.line import RunFileError

_UNSAFE = re.compile(r"[^\w.-]+")


@click.command(
    epilog=examples(
        "conformance history export zero --since 30d --out zero-30",
        "conformance matrix zero-30",
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
@in_folder
def export(targets: Sequence[str], since: str, before: str, out: Path, folder: Path) -> ExitCode:
    """Write runs as run folders again, for report, compare, matrix and --rejudge."""
    kept, entries = found(folder, targets, since, before)
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
    assert_all_read(unread)
    return ExitCode.CONFORMING
