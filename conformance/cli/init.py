"""``conformance init``: write a starter conformance.toml."""

from __future__ import annotations

import os
from pathlib import Path

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_text
from conformance.cli.help import examples
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.model import ExitCode
from conformance.targets import FILE
from conformance.targets.starter import Vendor, starter


@click.command(
    epilog=examples("conformance init", "conformance init --config vendors.toml --force"),
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=FILE,
    show_default=True,
    metavar="FILE",
    help="File to write.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(config: Path, force: bool) -> ExitCode:
    """Write a commented conformance.toml with the five documented vendors as targets."""
    vendors = [_vendor(name) for name in PAGES]
    if os.path.lexists(config) and not force:
        raise UserError(f"{config} already exists; use --force to overwrite it")
    write_text(config, starter(vendors))
    click.echo(config)
    click.echo("Set the API keys of the targets to test, then select them by name:")
    first = vendors[0]
    chosen = "" if config == Path(FILE) else f" --config {config}"
    click.echo(f"  {first.variable}=… conformance run{chosen} --target {first.contract}")
    return ExitCode.CONFORMING


def _vendor(name: str) -> Vendor:
    """Read a vendor's base URL and example model from its page."""
    page = load_page(name)
    model = next(
        str(example.request["model"]) for example in page.examples if "model" in example.request
    )
    return Vendor(name, page.title, page.endpoint.removesuffix("/completions"), model)
