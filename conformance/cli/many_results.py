"""Show and write the results of several runs: a report each, and a matrix of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from conformance.cli.files import WriteError
from conformance.cli.folder import write_reports
from conformance.cli.github import show_in_ci
from conformance.cli.matrix_files import write_matrix
from conformance.cli.metrics import write_metrics
from conformance.cli.outputs import Output, Rendered, names_of, write_named
from conformance.cli.places import place_of
from conformance.cli.terminal import say, show
from conformance.contract import common_to
from conformance.docs_audit.page_reader import PAGES
from conformance.language import Language, Text
from conformance.model import ExitCode, Run
from conformance.report.console import Verbosity
from conformance.report.console import show as show_run
from conformance.report.matrix import Matrix, Recorded, matrix_of
from conformance.report.matrix import terminal as text

WORST_FIRST = (
    ExitCode.NOT_CONFORMING,
    ExitCode.INTERRUPTED,
    ExitCode.UNDECIDED,
    ExitCode.NOTHING_RAN,
    ExitCode.CONFORMING,
)
"""Precedence of exit codes; the first one that occurs wins."""


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code for several runs: the worst one."""
    return min(codes, key=WORST_FIRST.index, default=ExitCode.NOTHING_RAN)


@dataclass(frozen=True, slots=True)
class Landing:
    """Where reports go, and what they are made of.

    Attributes:
        config: the file that lists the targets; None if there is none.
        outputs: the reports.
        stdout: where a report to standard output goes.
        language: the language of what is printed and of reports that have one.
        metrics: the file of the metrics; None if there is none.
    """

    config: Path | None
    outputs: Sequence[Output]
    stdout: TextIO
    language: Language
    metrics: Path | None = None

    def rendered(self, run: Run) -> Rendered:
        """Return what the reports of one run are made of."""
        return Rendered(None, self.language, place_of(run.header, self.config))


def reported(
    name: str, run: Run, folder: Path, landing: Landing, because: Text | None = None
) -> Recorded:
    """Write the reports of one run into its folder, and return its row of the matrix.

    Args:
        name: the name of the target and of its folder.
        run: its run.
        folder: where its record is.
        landing: which reports.
        because: why the run did not come to its end; None if it did.
    """
    try:
        written = write_reports(run, folder, names_of(landing.outputs), landing.rendered(run))
    except WriteError as error:
        # A report that cannot be written must not stop the other targets.
        say(error.message)
        written = []
    page = next((f"{folder.name}/{path.name}" for path in written if path.suffix == ".html"), None)
    return Recorded(name, run, page, because=because)


def show_many(
    recorded: Sequence[Recorded],
    folders: Sequence[Path],
    home: Path,
    landing: Landing,
    *,
    terminal: Console,
    verbosity: Verbosity,
    names_missing: bool = False,
) -> None:
    """Print the results of several runs, and write the matrix and the reports of named files.

    Args:
        recorded: a row for each target.
        folders: the folders with a run, whose paths are printed.
        home: where the matrix goes.
        landing: which reports.
        terminal: where results are printed.
        verbosity: how much of them.
        names_missing: whether a single run is shown below the targets that have none; false where
            it was said before why they have none.

    Raises:
        WriteError: a file cannot be written.
    """
    language = landing.language
    matrix = matrix_of(recorded, PAGES, common_to(PAGES))
    _print_results(recorded, matrix, terminal, language, verbosity, names_missing=names_missing)
    for folder in folders:
        click.echo(folder)
    runs = [
        (one.name, one.run, landing.rendered(one.run)) for one in recorded if one.run is not None
    ]
    try:
        for path in write_named(runs, landing.outputs, landing.stdout):
            click.echo(path)
        for path in write_metrics(landing.metrics, [run for _, run, _ in runs]):
            click.echo(path)
    finally:
        for path in write_matrix(matrix, home, names_of(landing.outputs), language):
            click.echo(path)
        show_in_ci(runs, language)


def _print_results(
    recorded: Sequence[Recorded],
    matrix: Matrix,
    terminal: Console,
    language: Language,
    verbosity: Verbosity,
    *,
    names_missing: bool,
) -> None:
    """Print the table and the causes; a single run is printed as `conformance run` prints one."""
    runs = [one for one in recorded if one.run is not None]
    if len(recorded) == len(runs) == 1 and runs[0].run is not None:
        show_run(runs[0].run, terminal, language, verbosity)
    elif verbosity is Verbosity.QUIET:
        show(text.sentence(matrix, language), terminal)
        if besides := text.besides(runs, language):
            show(besides, terminal)
    elif len(runs) == 1 and runs[0].run is not None and not names_missing:
        show_run(runs[0].run, terminal, language, verbosity)
    else:
        click.echo()
        show(text.render(matrix, language), terminal)
        is_whole = verbosity is Verbosity.VERBOSE or len(runs) == 1
        for one in runs if is_whole else []:
            click.echo(f"\n{one.name}")
            if one.run is not None:
                show_run(one.run, terminal, language, verbosity)
        if not is_whole:
            if besides := text.besides(runs, language):
                click.echo()
                show(besides, terminal)
            show(text.causes(runs, terminal, language), terminal)
    click.echo()
