"""The command line: the only package that prints and exits.

Each command has its own module. Shared code: :mod:`.guard` maps errors to exit codes,
:mod:`.inputs` validates arguments, :mod:`.folder` creates output folders.
"""

from __future__ import annotations

import click

from conformance import __version__
from conformance.cli.compare import compare
from conformance.cli.documents import documents
from conformance.cli.explain import explain
from conformance.cli.guard import Suite
from conformance.cli.init import init
from conformance.cli.listing import list_checks
from conformance.cli.matrix import matrix
from conformance.cli.options import examples
from conformance.cli.plan import plan
from conformance.cli.report import report
from conformance.cli.run import run
from conformance.cli.selftest import selftest
from conformance.model import ExitCode

__all__ = ["main"]


@click.group(
    cls=Suite,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog=examples(
        "conformance run",
        "conformance run --base-url https://api.example.com/v1 --model some-model",
        "conformance plan --tier smoke",
    )
    + "\n\nExit codes: 0 conforming, 1 not conforming, 2 interrupted, 3 inconclusive, "
    "4 usage error, 5 no checks ran.",
)
@click.version_option(__version__, prog_name="conformance", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Conformance tests for OpenAI-compatible POST /v1/completions endpoints."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(ExitCode.USAGE)


for command in (
    run,
    init,
    plan,
    list_checks,
    explain,
    report,
    matrix,
    compare,
    documents,
    selftest,
):
    main.add_command(command)
