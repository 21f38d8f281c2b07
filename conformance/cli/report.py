"""``conformance report RUN``: make the reports of a recorded run again."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.folder import recorded_in, write_reports
from conformance.cli.guard import UserError
from conformance.cli.options import examples, into_formats, with_key_from
from conformance.model import ExitCode
from conformance.reports import console


@click.command(
    short_help="Render a recorded run again.",
    epilog=examples(
        "conformance report reports/2026-11-21T031200-api.example.com-openai",
        "conformance report run.ndjson --format markdown --out .",
    ),
)
@click.argument("recorded", metavar="RUN", type=click.Path(path_type=Path))
@into_formats("html,junit,json")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write. [default: beside the record]",
)
@with_key_from("the one that the run read its key from")
def report(
    recorded: Path, format_names: tuple[str, ...], out: Path | None, key_name: str | None
) -> ExitCode:
    """Render a run again: RUN is its folder or its run.ndjson, also of one that broke off."""
    record, run = recorded_in(recorded)
    folder = out or record.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}") from None
    console.show(run, console.console_for())
    click.echo()
    for path in write_reports(run, folder, format_names, key_name):
        click.echo(path)
    return ExitCode.CONFORMING
