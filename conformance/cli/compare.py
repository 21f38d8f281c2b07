"""``conformance compare OLD NEW``: changes between two recorded runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import click

from conformance.cli.files import write_text
from conformance.cli.folder import make_folder, recorded_in
from conformance.cli.help import examples
from conformance.cli.inputs import FOLDER, names_among
from conformance.cli.options import in_language
from conformance.cli.terminal import show
from conformance.input_files import is_file
from conformance.language import Language
from conformance.model import ExitCode
from conformance.report import diff as comparing
from conformance.report.console import console_for
from conformance.report.diff import terminal as text

PAGE = "index.html"
MAX_NAMES = 12


@click.command(
    epilog=examples(
        "conformance compare reports/monday reports/tuesday",
        "conformance compare old.ndjson new.ndjson --format html,markdown --out compared",
    )
    + "\n\nExit codes: 0 no regressions, 1 regressions, 3 newly inconclusive checks or an "
    "incomplete newer run, 4 usage error, 5 no check ran in both runs.",
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_names",
    callback=partial(names_among, known=tuple(comparing.files())),
    metavar="NAMES",
    help="Files to write, comma-separated: html, json, markdown. [default: none]",
)
@click.option(
    "--out",
    type=FOLDER,
    metavar="DIR",
    help="Folder for these files. [default: the newer record's folder]",
)
@in_language
def compare(
    old: Path, new: Path, format_names: tuple[str, ...], out: Path | None, language: Language
) -> ExitCode:
    """Compare two runs: regressions, fixes, newly inconclusive checks, cost and latency.

    OLD and NEW are run folders or run.ndjson files.
    """
    if out is not None and not format_names:
        raise click.UsageError("--out requires --format: html, json or markdown")
    (old_record, before), (new_record, after) = recorded_in(old), recorded_in(new)
    result = comparing.compare(before, after)
    screen = console_for()
    # A terminal shows the first few; a pipe gets everything.
    show(text.render(result, language, MAX_NAMES if screen.is_terminal else None), screen)
    folder = out or new_record.parent
    places = comparing.Places(_page(old_record, folder), _page(new_record, folder))
    chosen = [comparing.files(places, language)[name] for name in format_names]
    for path in _write(result, chosen, folder):
        click.echo(path)
    return result.exit_code


def _write(
    result: comparing.Differences, files: Sequence[comparing.File], folder: Path
) -> list[Path]:
    written = []
    if files:
        make_folder(folder)
    for file in files:
        path = folder / file.name
        write_text(path, file.render(result))
        written.append(path)
    # The HTML page comes last, so that its path is the last line of output.
    return sorted(written, key=lambda path: path.suffix == ".html")


def _page(record: Path, folder: Path) -> str | None:
    """Return the relative link to a record's HTML report, or None."""
    page = record.with_name(PAGE)
    if not is_file(page):
        return None
    try:
        return quote(os.fsencode(Path(os.path.relpath(page, folder)).as_posix()))
    except ValueError:
        return None  # on another drive
