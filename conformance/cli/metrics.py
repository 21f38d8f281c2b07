"""``--metrics-file``: metrics for Prometheus, in a file that is replaced as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cli.files import write_text
from conformance.model import Run

Function = TypeVar("Function", bound=Callable[..., Any])


def with_metrics_file(function: Function) -> Function:
    """Add ``--metrics-file``; the command receives ``metrics``, or None."""
    option: Callable[[Function], Function] = click.option(
        "--metrics-file",
        "metrics",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="PATH",
        help="Write metrics in the text format of Prometheus, such as for the textfile collector "
        "of node_exporter; the file is replaced as a whole.",
    )
    return option(function)


def write_metrics(path: Path | None, runs: Iterable[Run]) -> list[Path]:
    """Write the metrics of runs that have ended; return the path, if there is one.

    Raises:
        WriteError: the file cannot be written.
    """
    if path is None:
        return []
    # Runs start sooner without the history.
    from conformance.history.entry import entry_of  # noqa: PLC0415
    from conformance.history.metrics import metrics_text  # noqa: PLC0415

    rows = [entry_of(run, "", None) for run in runs if run.footer is not None]
    write_text(path, metrics_text(rows))
    return [path]
