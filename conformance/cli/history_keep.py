"""``conformance history add``, ``prune`` and ``rebuild``: what changes a history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.folder import RECORD, records_below
from conformance.cli.help import examples
from conformance.cli.history_shared import (
    assert_all_read,
    day,
    existing,
    found,
    in_folder,
    index_sentences,
    sentences,
)
from conformance.cli.terminal import say
from conformance.history import Added, History
from conformance.input_files import is_folder
from conformance.model import ExitCode
from conformance.record.compressed import NoZstdError, zstd_module
from conformance.record.line import RunFileError
from conformance.report.locale.terms import plural


@click.command(
    epilog=examples(
        "conformance history add today", "conformance history add reports/* --history /srv/history"
    )
)
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--zstd",
    "with_zstd",
    is_flag=True,
    help="Compress with zstd, a fifth smaller than gzip; needs Python 3.14 or an extra.",
)
@in_folder
def add(folders: Sequence[Path], with_zstd: bool, folder: Path) -> ExitCode:
    """Add the runs of folders; the folders stay as they are.

    DIR is a run folder, its record, or a folder of run folders. Of two runs with the same key the
    newer one is kept. A run that is incomplete is left out: it can be resumed. A record that cannot
    be read is left out, too, and the exit code is then 4.
    """
    if with_zstd:
        _assert_zstd()
    records = [record for given in folders for record in _records_of(given)]
    kept = History(folder, say, with_zstd=with_zstd)
    count = dict.fromkeys(Added, 0)
    unread: list[str] = []
    for record in records:
        try:
            with index_sentences():
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
    assert_all_read(unread)
    return ExitCode.CONFORMING


def _assert_zstd() -> None:
    """Check that zstd is there.

    Raises:
        UserError: it is not.
    """
    try:
        zstd_module()
    except NoZstdError as error:
        raise UserError(f"--zstd: {error}") from None


def _records_of(given: Path) -> list[Path]:
    """Return the records that an argument names.

    Raises:
        UserError: it is a folder without any.
    """
    records = records_below(given) if is_folder(given) else [given]
    if not records:
        raise UserError(f"no recorded run in {given}: no folder there contains {RECORD}")
    return records


@click.command(
    epilog=examples(
        "conformance history prune --before 365d --dry-run", "conformance history prune old-vendor"
    )
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option("--before", callback=day, metavar="DAY", help="Only runs before this day.")
@click.option("--dry-run", is_flag=True, help="Remove nothing; print what would be removed.")
@in_folder
def prune(targets: Sequence[str], before: str, dry_run: bool, folder: Path) -> ExitCode:
    """Remove runs from the history, and contracts that no other run needs."""
    if not targets and not before:
        raise click.UsageError("name what to remove: targets, --before DAY, or both")
    kept, entries = found(folder, targets, before=before)
    for entry in entries:
        click.echo(kept.folder / entry.path)
    if dry_run:
        say(f"{plural(len(entries), 'run')} would be removed")
        return ExitCode.CONFORMING
    with sentences():
        freed = kept.prune(entries)
    say(f"{plural(len(entries), 'run')} removed, {freed:,} bytes freed")
    return ExitCode.CONFORMING


@click.command()
@in_folder
def rebuild(folder: Path) -> ExitCode:
    """Make the index again from the records."""
    with sentences():
        count = existing(folder).rebuild()
    click.echo(f"{plural(count, 'run')} indexed")
    return ExitCode.CONFORMING
