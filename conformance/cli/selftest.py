"""``conformance selftest``: run the suite against servers with known faults (mutation testing)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.cli import (
    inputs,
    selftest_attribution,
    selftest_json,
    selftest_markdown,
    selftest_text,
)
from conformance.cli.execution import interruptible
from conformance.cli.exit_codes import UserError
from conformance.cli.help import examples
from conformance.cli.terminal import say
from conformance.contract import CONTRACTS
from conformance.engine.discovery import all_checks
from conformance.model import ExitCode, Stage, Tier
from conformance.report.console import console_for
from conformance.selftest.catalogue import Catalogue, CatalogueError, Fault, read_catalogue
from conformance.selftest.matrix import Matrix
from conformance.selftest.outcome import Outcome
from conformance.selftest.trials import Trial, Wanted, trials_of, unmatched
from conformance.selftest.workers import WorkerError, outcomes_of
from conformance.targets.bundled import BundledServerError, list_bundled

LOGGED = 100
"""Number of runs between two progress lines in a log."""


@click.command(
    epilog=examples(
        "conformance selftest",
        "conformance selftest --fault 'usage' --fault 'stop-*' --tier deep",
        "conformance selftest --variant '*' --seeds 20",
        "conformance selftest --format json > matrix.json",
        "conformance selftest --attribution --fault 'usage-*'",
        "conformance selftest --attribution --sample 0 --pairs 20 --fives 5",
    )
    + "\n\nExit codes: 0 all expected faults detected and no false positives, 1 a missed fault or "
    "a false positive, 2 interrupted, 3 the bundled server failed, 4 usage error, 5 nothing ran.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="GLOB",
    help="Run only faults whose name or area matches: 'NAME' or 'NAME@TRIGGER'; may be repeated.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="GLOB",
    help="Run only variants whose name or area matches; may be repeated.",
)
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier]),
    default=Tier.STANDARD.value,
    show_default=True,
    help="Test depth: standard must detect faults without a trigger, deep also those with one.",
)
@click.option(
    "--contract",
    "contract_name",
    type=click.Choice(CONTRACTS),
    metavar="NAME",
    help=f"Test against this contract only ({', '.join(CONTRACTS)}); some faults are not "
    "violations of every contract. [default: each fault's own contract]",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Repeat every run with N seeds and require the same result: whether each fault is "
    "detected, and with --complete also which requirements fail.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="Run all checks against each fault, not only those expected to detect it; about 10x "
    "slower. Also reports other requirements that fail, and checks that detect nothing.",
)
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    callback=lambda _ctx, _param, value: Stage(value) if value else None,
    help="Run only checks of this stage and report what they detect; no fault is expected.",
)
@selftest_attribution.options
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    metavar="N",
    help="Number of parallel runs, each with its own server. [default: number of CPU cores]",
)
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Output format: a table, complete JSON, or Markdown tables.",
)
def selftest(
    *,
    faults: tuple[str, ...],
    variants: tuple[str, ...],
    tier: str,
    contract_name: str | None,
    seeds: int,
    complete: bool,
    stage: Stage | None,
    jobs: int,
    as_format: str,
    **attribution: Any,
) -> ExitCode:
    """Run the suite against every fault, conforming variant and dialect of the bundled server.

    Reports the detection rate, the cost of a run, and false positives.
    """
    wanted = Wanted(
        Tier(tier),
        faults,
        variants,
        inputs.contract(contract_name) if contract_name else None,
        seeds,
        complete,
        stage,
    )
    draw = selftest_attribution.draw_of(wanted, **attribution)
    catalogue = _catalogue()
    trials = trials_of(catalogue, wanted)
    missed = unmatched(catalogue, wanted)
    if missed or not trials:
        globs = " or ".join(f"'{glob}'" for glob in missed) or "the contract"
        say(
            f"no fault or variant matches {globs};"
            " see `reference-server --list-faults` and --list-variants"
        )
        return ExitCode.NOTHING_RAN
    if draw is not None:
        return selftest_attribution.attribute(trials, draw, wanted, jobs, as_format)
    outcomes: list[Outcome] = []
    incomplete = None
    try:
        with interruptible():
            _judge(trials, jobs, outcomes)
    except WorkerError as error:
        say(str(error))
        incomplete = ExitCode.UNDECIDED
    except KeyboardInterrupt:
        incomplete = ExitCode.INTERRUPTED
    left = len(trials) - len(outcomes)
    everything = wanted.everything and not left
    matrix = Matrix(outcomes, everything=everything, checks=all_checks(), left=left)
    if as_format == "json":
        click.echo(json.dumps(selftest_json.document(matrix), indent=1))
    elif as_format == "markdown":
        click.echo(selftest_markdown.render(matrix), nl=False)
    else:
        selftest_text.show(matrix, console_for())
    if incomplete is not None:
        return incomplete
    return ExitCode.NOT_CONFORMING if matrix.complaints else ExitCode.CONFORMING


def _catalogue() -> Catalogue:
    try:
        return read_catalogue(list_bundled("faults"), list_bundled("variants"))
    except (BundledServerError, CatalogueError) as error:
        raise UserError(str(error)) from None


def _judge(trials: Sequence[Trial], jobs: int, outcomes: list[Outcome]) -> None:
    """Execute all trials and append each outcome; show progress on standard error.

    Raises:
        WorkerError: a worker process or its server ended.
    """
    # Progress goes to standard error, so that JSON or Markdown can be redirected to a file.
    screen = Console(stderr=True, highlight=False)
    watched = screen.is_terminal and not screen.is_dumb_terminal
    bar = Progress(
        TextColumn("{task.description}", style="dim"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not watched,
        expand=True,
    )
    with bar, closing(outcomes_of(trials, jobs)) as made:
        task = bar.add_task("runs", total=len(trials))
        for outcome in made:
            outcomes.append(outcome)
            bar.update(task, advance=1, description=outcome.trial.name)
            if not watched:
                _log(outcome, len(outcomes), len(trials))


def _log(outcome: Outcome, made: int, total: int) -> None:
    """Log problems immediately, and progress every :data:`LOGGED` runs."""
    trial, where = outcome.trial, f"{outcome.trial.name} ({outcome.trial.tier.value})"
    if isinstance(trial.shown, Fault) and outcome.due and not outcome.found:
        say(f"{where}: fault not detected")
    if outcome.false_alarms:
        say(f"{where}: false positive: {outcome.false_alarms[0]}")
    if made % LOGGED == 0:
        say(f"{made} of {total} runs done")
