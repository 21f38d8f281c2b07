"""``conformance badge RUN``: the verdict as JSON for shields.io and as an SVG."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.files import write_text
from conformance.cli.folder import make_folder, recorded_in
from conformance.cli.help import examples
from conformance.cli.inputs import FOLDER
from conformance.cli.options import in_language
from conformance.language import Language
from conformance.model import ExitCode
from conformance.report.badge import endpoint, svg


@click.command(
    epilog=examples(
        "conformance badge reports/2026-11-21T031200-api.example.com-openai",
        "conformance badge run.ndjson --out public --label 'completions'",
    ),
)
@click.argument("recorded", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out", type=FOLDER, metavar="DIR", help="Output folder. [default: the record's folder]"
)
@click.option("--label", metavar="TEXT", help="Left half. [default: the target and the contract]")
@in_language
def badge(recorded: Path, out: Path | None, label: str | None, language: Language) -> ExitCode:
    """Write badge.json, which shields.io reads, and badge.svg, which needs no service."""
    record, run = recorded_in(recorded)
    folder = out or record.parent
    make_folder(folder)
    for name, text in (
        ("badge.json", endpoint(run, label, language)),
        ("badge.svg", svg(run, label, language)),
    ):
        write_text(folder / name, text)
        click.echo(folder / name)
    return ExitCode.CONFORMING
