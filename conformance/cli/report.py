"""``conformance report RUN``: make the reports of a recorded run again, or judge it again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from conformance.cli import inputs, pdf
from conformance.cli.folder import RECORD, recorded_in, write_reports
from conformance.cli.guard import UserError
from conformance.cli.help import examples
from conformance.cli.options import in_language, with_key_from
from conformance.cli.terminal import say
from conformance.language import Language
from conformance.model import EXIT_CODES, ExitCode, Run
from conformance.rejudging import UndatedError, rejudge
from conformance.reports import console, formats
from conformance.wire.record import write_run

PDF = "pdf"
PDF_NAME = "report.pdf"
AGAIN = "rejudged"
"""The folder beside a record that it is judged again into."""


@click.command(
    epilog=examples(
        "conformance report reports/2026-11-21T031200-api.example.com-openai",
        "conformance report run.ndjson --format markdown --out .",
        "conformance report run.ndjson --format pdf",
        "conformance report run.ndjson --rejudge",
    )
    + "\n\nExit codes: 0; with --rejudge those of a run; 4 wrong usage.",
)
@click.argument("recorded", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_names",
    callback=partial(inputs.names_among, known=(*formats(), PDF)),
    default="html,junit,json",
    show_default=True,
    metavar="NAMES",
    help="Which reports to write, with commas between: html, junit, json, markdown; or pdf, which "
    "an installed Chromium prints.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Where to write. [default: beside the record; with --rejudge: {AGAIN}/ beside it]",
)
@click.option(
    "--rejudge",
    "again",
    is_flag=True,
    help="Judge the recorded exchanges with today's checks, without a network. What was recorded "
    "stays as it is; the new verdicts are a run of their own.",
)
@click.option(
    "--contract",
    "contract_name",
    metavar="NAME|PATH",
    help="With --rejudge: what to hold the endpoint to. [default: the run's own contract]",
)
@with_key_from("the one that the run read its key from")
@in_language
def report(
    *,
    recorded: Path,
    format_names: tuple[str, ...],
    out: Path | None,
    again: bool,
    contract_name: str | None,
    key_name: str | None,
    language: Language,
) -> ExitCode:
    """Render a run again: RUN is its folder or its run.ndjson, also of one that broke off."""
    if contract_name is not None and not again:
        raise click.UsageError("--contract goes with --rejudge: a report tells what was judged")
    program = pdf.browser() if PDF in format_names else ""
    record, run = recorded_in(recorded)
    folder = out or (record.parent / AGAIN if again else record.parent)
    if again:
        run = _judged_again(run, record, folder, contract_name)
    _make(folder)
    if again:
        write_run(run, folder / RECORD)
    console.show(run, console.console_for(), language)
    click.echo()
    others = [name for name in format_names if name != PDF]
    written = write_reports(run, folder, others, key_name, language)
    if program:
        path = folder / PDF_NAME
        page = formats(key_name, language)["html"].render(run)
        pdf.print_page(page, path, program=program)
        written.insert(0, path)
    for path in written:
        click.echo(path)
    return EXIT_CODES[run.conclusion] if again else ExitCode.CONFORMING


def _judged_again(run: Run, record: Path, folder: Path, contract_name: str | None) -> Run:
    """Judge a record with today's checks.

    Raises:
        UserError: its contract or its date is not known, or its own record would be written over.
    """
    if folder.resolve() == record.resolve().parent:
        raise UserError(
            f"--rejudge writes a record of its own, and {folder} holds the one that it reads; "
            "choose another folder with --out"
        )
    name = contract_name or run.header.contract
    try:
        contract = inputs.contract(name)
    except UserError as error:
        if contract_name is not None:
            raise
        raise UserError(f"{error}; the run was held to {name!r}: give it as --contract") from None
    try:
        judged = rejudge(run, contract)
    except UndatedError as error:
        raise UserError(f"{record} cannot be judged again: {error}") from None
    then, now = run.header, judged.header
    by = then.recorded_by or then.suite_version
    say(f"judging {record}, recorded by version {by}, with the checks of {now.suite_version}")
    return judged


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}") from None
