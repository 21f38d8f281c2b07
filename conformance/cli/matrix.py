"""``conformance matrix RUN…``: compare recorded runs of many targets in one table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from urllib.parse import quote

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.folder import RECORD, fresh_folder, recorded_in, records_below
from conformance.cli.help import examples
from conformance.cli.inputs import FOLDER, names_among
from conformance.cli.matrix_files import write_matrix
from conformance.cli.options import in_language
from conformance.cli.terminal import show
from conformance.contract import common_to
from conformance.docs_audit.page_reader import PAGES
from conformance.input_files import is_file, is_folder
from conformance.language import Language
from conformance.model import ExitCode
from conformance.report.console import console_for
from conformance.report.matrix import Recorded, files, matrix_of
from conformance.report.matrix import terminal as text

TEXT = "text"
PAGE = "index.html"


@click.command(
    epilog=examples(
        "conformance matrix 'reports/2026-11-21*'",
        "conformance matrix zero/run.ndjson eronmind/run.ndjson --out matrix",
        "conformance matrix reports/2026-11-21T031200-conformance-targets --format text",
    ),
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--format",
    "format_names",
    callback=partial(names_among, known=(*files(), TEXT)),
    default="html,text",
    show_default=True,
    metavar="NAMES",
    help="Output, comma-separated: html, json, markdown (files), text (terminal).",
)
@click.option(
    "--out",
    type=FOLDER,
    metavar="DIR",
    help="Output folder; must be new or empty. [default: reports/<date>-conformance-matrix]",
)
@in_language
def matrix(
    runs: tuple[str, ...], format_names: tuple[str, ...], out: Path | None, language: Language
) -> ExitCode:
    """Compare recorded runs in one table: a row for each parameter, a column for each target.

    RUN is a run folder, its run.ndjson, a folder of run folders, or a glob. Vendors'
    documents whose contract no run used are listed apart.
    """
    records = list(dict.fromkeys(record for name in runs for record in _records(name)))
    read = [recorded_in(record) for record in records]
    names = [name for name in format_names if name != TEXT]
    with ExitStack() as stack:
        folder = None
        if names:
            folder = stack.enter_context(fresh_folder(out, "conformance", "matrix"))
        made = matrix_of(
            [
                Recorded(
                    run.header.target or record.absolute().parent.name,
                    run,
                    _page(record, folder) if folder else None,
                )
                for record, run in read
            ],
            PAGES,
            common_to(PAGES),
        )
        if TEXT in format_names:
            show(text.render(made, language), console_for())
            click.echo()
        for path in write_matrix(made, folder, names, language) if folder else []:
            click.echo(path)
    return ExitCode.CONFORMING


def _records(name: str) -> Iterator[Path]:
    """Resolve an argument to record paths.

    Raises:
        UserError: no record was found.
    """
    path = Path(name)
    found = [path]
    # Some shells leave globs to the program, and a folder name may contain brackets.
    if has_magic(name) and not os.path.exists(path):  # noqa: PTH110 - never raises
        matches = sorted(glob(name))  # noqa: PTH207 - a pattern may begin at the root
        found = [Path(match) for match in matches]
    records = [record for one in found for record in _inside(one)]
    if not records:
        raise UserError(
            f"no recorded run at {name}: neither it nor its subfolders contain {RECORD}"
        )
    yield from records


def _inside(path: Path) -> Sequence[Path]:
    if not is_folder(path):
        return [path]
    return records_below(path)


def _page(record: Path, folder: Path) -> str | None:
    """Return the link from the matrix to a run's HTML report, or None."""
    page = record.parent / PAGE
    if not is_file(page):
        return None
    try:
        relative = os.path.relpath(page.absolute(), folder.absolute())
        return quote(os.fsencode(relative.replace(os.sep, "/")))
    except ValueError:  # on another drive, so there is no relative path
        return page.absolute().as_uri()
