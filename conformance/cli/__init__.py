"""The command line: the only package that prints and exits.

Each command has its own module. Shared code: :mod:`.exit_codes` maps errors to exit codes,
:mod:`.inputs` validates arguments, :mod:`.folder` creates output folders.
"""

from __future__ import annotations

import click

from conformance import __version__
from conformance.cli.exit_codes import Suite
from conformance.cli.help import examples
from conformance.cli.lazy import LazyCommand
from conformance.model import ExitCode

__all__ = ["main"]

COMMANDS = {
    name: LazyCommand(f"conformance.cli.{module}", function, short_help)
    for name, module, function, short_help in (
        ("run", "run", "run", "Test one or more endpoints."),
        ("init", "init", "init", "Write a starter conformance.toml."),
        ("plan", "plan", "plan", "Estimate the cost of a run without sending anything."),
        ("list", "list_checks", "list_checks", "List checks by area."),
        ("explain", "explain", "explain", "Explain a check and its requirement."),
        ("profiles", "profiles", "profiles", "List clients, and what each needs."),
        ("report", "report", "report", "Regenerate reports from a recorded run."),
        ("matrix", "matrix", "matrix", "Compare targets in one table."),
        ("merge", "merge", "merge", "Merge the folders of several machines into one."),
        ("compare", "compare", "compare", "Compare two recorded runs."),
        ("history", "history", "history", "Keep the records of many runs and look them up."),
        ("drift", "drift", "drift", "Tell whether the model behind a name has changed."),
        ("watch", "watch", "watch", "Run targets when they are due and tell what changed."),
        ("badge", "badge", "badge", "Make a badge of a recorded run."),
        ("doctor", "doctor", "doctor", "Show what is installed and whether an endpoint answers."),
        ("documents", "documents", "documents", "Validate the vendors' documentation."),
        (
            "selftest",
            "selftest",
            "selftest",
            "Measure how many injected faults the checks detect.",
        ),
    )
}
"""Each command is imported when it is used, so that the others cost no start-up time."""


@click.group(
    cls=Suite,
    lazy=COMMANDS,
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
