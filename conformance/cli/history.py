"""``conformance history``: keep the records of many runs, compressed, and look them up."""

from __future__ import annotations

import click

from conformance.cli.help import examples
from conformance.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    name: LazyCommand(f"conformance.cli.history_{module}", function, short_help)
    for name, module, function, short_help in (
        ("add", "keep", "add", "Add the runs of folders; the folders stay as they are."),
        ("list", "look", "list_runs", "List runs by target and time."),
        ("show", "look", "show", "Show the runs of one target, and what changed when."),
        ("export", "export", "export", "Write runs as run folders again, or as Parquet."),
        ("site", "site", "site", "Write a static site with feeds and badges."),
        ("prune", "keep", "prune", "Remove runs, and contracts that no other run needs."),
        ("rebuild", "keep", "rebuild", "Make the index again from the records."),
    )
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=examples(
        "conformance history add today",
        "conformance history list --since 30d",
        "conformance history show zero",
    ),
)
def history() -> None:
    """Keep the records of many runs, compressed, with an index.

    The records are the truth: the index can be deleted, and is made from them again.
    """
