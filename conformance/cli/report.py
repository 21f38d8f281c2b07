"""``conformance report RUN``: regenerate a run's reports, or re-evaluate its record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from conformance.cli import inputs, pdf
from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks
from conformance.cli.folder import COMPRESSED, RECORD, make_folder, recorded_in, write_reports
from conformance.cli.help import examples
from conformance.cli.options import (
    how_much,
    in_language,
    into_formats,
    with_key_from,
    with_tokenizer,
)
from conformance.cli.otel import exporter
from conformance.cli.outputs import Output, Rendered, names_of, stdout_for, write_named
from conformance.cli.places import place_of
from conformance.cli.screen import on_screen, screen
from conformance.cli.terminal import say
from conformance.engine.replay import UndatedError, rejudge
from conformance.language import Language
from conformance.model import ExitCode, Run
from conformance.record.ndjson import lines_of
from conformance.report import console
from conformance.tokenizer import Tokenizer

PDF = "pdf"
PDF_NAME = "report.pdf"
AGAIN = "rejudged"
"""Subfolder for the result of ``--rejudge``."""


@click.command(
    epilog=examples(
        "conformance report reports/2026-11-21T031200-api.example.com-openai",
        "conformance report run.ndjson --format markdown --out .",
        "conformance report run.ndjson --format sarif=-",
        "conformance report run.ndjson --format pdf",
        "conformance report run.ndjson --rejudge",
    )
    + "\n\nExit codes: 0; with --rejudge those of `conformance run`; 4 usage error.",
)
@click.argument("recorded", metavar="RUN", type=click.Path(path_type=Path))
@into_formats("html,junit,json", PDF)
@click.option(
    "--out",
    type=inputs.FOLDER,
    metavar="DIR",
    help=f"Output folder. [default: the record's folder; with --rejudge: {AGAIN}/ inside it]",
)
@click.option(
    "--rejudge",
    "again",
    is_flag=True,
    help="Re-evaluate the recorded exchanges with the current checks, offline. The original "
    "record is not changed; the new verdicts are written as a separate run.",
)
@click.option(
    "--contract",
    "contract_name",
    metavar="NAME|PATH",
    help="With --rejudge: contract to test against. [default: the run's contract]",
)
@click.option(
    "--otel",
    is_flag=True,
    help="Send the requests of the run as OpenTelemetry spans and metrics, too, to the endpoints "
    "that OTEL_EXPORTER_OTLP_ENDPOINT and its like name.",
)
@with_tokenizer
@with_key_from("the variable that the run used")
@how_much
@on_screen
@in_language
def report(
    *,
    recorded: Path,
    outputs: tuple[Output, ...],
    out: Path | None,
    again: bool,
    contract_name: str | None,
    otel: bool,
    tokenizer: Tokenizer | None,
    key_name: str | None,
    language: Language,
    verbosity: console.Verbosity,
) -> ExitCode:
    """Regenerate reports. RUN is a run folder or its run.ndjson, including incomplete runs.

    A record may be compressed: run.ndjson.gz.
    """
    if contract_name is not None and not again:
        raise click.UsageError(
            "--contract requires --rejudge; without it a report shows the recorded verdicts"
        )
    if tokenizer is not None and not again:
        raise click.UsageError(
            "--tokenizer requires --rejudge; without it a report shows the recorded verdicts"
        )
    export = exporter(os.environ) if otel else None
    assert_pdf_in_folder(outputs)
    names = names_of(outputs)
    program = pdf.browser() if PDF in names else ""
    record, run = recorded_in(recorded)
    if out is None and (names or again) and record.suffix == ".gz" and record.name != COMPRESSED:
        raise UserError(
            f"the folder of {record} has records of other runs, too, whose reports would be "
            "overwritten; name their folder with --out"
        )
    folder = out or (record.parent / AGAIN if again else record.parent)
    if again:
        run = _judged_again(run, record, folder, contract_name, tokenizer)
    if names or again:
        make_folder(folder)
    if again:
        write_chunks(folder / RECORD, lines_of(run))
    rendered = Rendered(key_name, language, place_of(run.header))
    with stdout_for(outputs) as stdout:
        console.show(run, screen(), language, verbosity)
        click.echo()
        written = write_reports(run, folder, [name for name in names if name != PDF], rendered)
        if program:
            path = folder / PDF_NAME
            pdf.print_page(rendered.formats["html"].render(run), path, program=program)
            written.insert(0, path)
        target = run.header.target or run.header.contract
        for path in (*write_named([(target, run, rendered)], outputs, stdout), *written):
            click.echo(path)
    if export is not None:
        export(run)
    return run.exit_code if again else ExitCode.CONFORMING


def assert_pdf_in_folder(outputs: Sequence[Output]) -> None:
    """Check that a PDF goes into the output folder.

    Raises:
        UsageError: it has a path of its own.
    """
    for output in outputs:
        if output.name == PDF and output.path is not None:
            raise click.UsageError(f"--format {PDF} takes no path; choose its folder with --out")


def _judged_again(
    run: Run,
    record: Path,
    folder: Path,
    contract_name: str | None,
    tokenizer: Tokenizer | None,
) -> Run:
    """Re-evaluate a record with the current checks.

    Raises:
        UserError: the contract or date is unknown, or the record would be overwritten.
    """
    if Path(os.path.realpath(folder)) == Path(os.path.realpath(record)).parent:
        raise UserError(
            f"--rejudge would overwrite the record in {folder}; choose another folder with --out"
        )
    name = contract_name or run.header.contract
    try:
        contract = inputs.contract(name)
    except UserError as error:
        if contract_name is not None:
            raise
        raise UserError(
            f"{error}; the run used the contract {name!r}: pass its path with --contract"
        ) from None
    try:
        judged = rejudge(run, contract, tokenizer)
    except UndatedError as error:
        raise UserError(f"cannot re-evaluate {record}: {error}") from None
    then, now = run.header, judged.header
    by = then.recorded_by or then.suite_version
    say(
        f"re-evaluating {record} (recorded by version {by}) with the checks of version "
        f"{now.suite_version}"
    )
    return judged
