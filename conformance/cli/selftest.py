"""``conformance selftest``: the suite held against servers whose faults are known."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.bundled import BundledServerError, list_bundled
from conformance.checks import all_checks
from conformance.cli import inputs, selftest_json, selftest_markdown, selftest_text
from conformance.cli.guard import UserError
from conformance.cli.help import examples
from conformance.cli.judging import interruptible
from conformance.cli.terminal import say
from conformance.contract import DOCUMENTS
from conformance.model import ExitCode, Stage, Tier
from conformance.reports.console import console_for
from conformance.selftest.catalogue import Catalogue, CatalogueError, Fault, read_catalogue
from conformance.selftest.matrix import Matrix
from conformance.selftest.outcome import Outcome
from conformance.selftest.trials import Trial, Wanted, trials_of
from conformance.selftest.workers import WorkerError, outcomes_of

LOGGED = 100
"""Runs after which a log is told how far they are."""


@click.command(
    epilog=examples(
        "conformance selftest",
        "conformance selftest --fault 'usage' --fault 'stop-*' --tier deep",
        "conformance selftest --variant '*' --seeds 20",
        "conformance selftest --format json > matrix.json",
    )
    + "\n\nExit codes: 0 every fault that was due is found and no correct server accused, 1 one is "
    "not found or one accused, 2 interrupted, 3 the bundled server failed, 4 wrong usage, "
    "5 nothing ran.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="GLOB",
    help="Only faults whose name or area matches, as 'NAME' or 'NAME@MODIFIER'; may be repeated.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="GLOB",
    help="Only variants whose name matches; may be repeated.",
)
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier]),
    default=Tier.STANDARD.value,
    show_default=True,
    help="How deep to look: standard has to find what shows everywhere, deep all.",
)
@click.option(
    "--contract",
    "contract_name",
    type=click.Choice(DOCUMENTS),
    metavar="NAME",
    help="Judge by this document alone, by which some faults are none: "
    f"{', '.join(DOCUMENTS)}. [default: for each its own]",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Repeat everything with so many seeds, and demand that they tell the same: of a fault "
    "whether it is found, with --complete also each requirement that is broken.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="Run every check against each fault, also where those of the promise it breaks find it: "
    "ten times as dear; tells what else is accused, and which checks find nothing.",
)
@click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    callback=lambda _ctx, _param, value: Stage(value) if value else None,
    help="Only the checks of this stage ask anything; what it alone finds is told, and nothing is "
    "due.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    metavar="N",
    help="Runs at a time, each with a server of its own. [default: as many as there are cores]",
)
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="A table for people, everything for programs, or the tables for a page.",
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
) -> ExitCode:
    """Run the suite against each fault, each honest variant and each dialect of the bundled server.

    Tells which faults are found at which price, and which correct servers are accused.
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
    trials = trials_of(_catalogue(), wanted)
    if not trials:
        say("nothing matches; `reference-server --list-faults` and --list-variants name all")
        return ExitCode.NOTHING_RAN
    outcomes: list[Outcome] = []
    broken_off = None
    try:
        with interruptible():
            _judge(trials, jobs, outcomes)
    except WorkerError as error:
        say(str(error))
        broken_off = ExitCode.UNDECIDED
    except KeyboardInterrupt:
        broken_off = ExitCode.INTERRUPTED
    left = len(trials) - len(outcomes)
    everything = wanted.everything and not left
    matrix = Matrix(outcomes, everything=everything, checks=all_checks(), left=left)
    if as_format == "json":
        click.echo(json.dumps(selftest_json.document(matrix), ensure_ascii=False, indent=1))
    elif as_format == "markdown":
        click.echo(selftest_markdown.render(matrix), nl=False)
    else:
        selftest_text.show(matrix, console_for())
    if broken_off is not None:
        return broken_off
    return ExitCode.NOT_CONFORMING if matrix.complaints else ExitCode.CONFORMING


def _catalogue() -> Catalogue:
    try:
        return read_catalogue(list_bundled("faults"), list_bundled("variants"))
    except (BundledServerError, CatalogueError) as error:
        raise UserError(str(error)) from None


def _judge(trials: Sequence[Trial], jobs: int, outcomes: list[Outcome]) -> None:
    """Make all runs, adding what comes of each; a terminal sees how far they are, a log at times.

    Raises:
        WorkerError: a worker or its server has gone.
    """
    # To standard error, so that JSON or Markdown can be sent to a file meanwhile.
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
    """Tell a log what is not as it should be at once, and now and then how far the runs are."""
    trial, where = outcome.trial, f"{outcome.trial.name} ({outcome.trial.tier.value})"
    if isinstance(trial.shown, Fault) and outcome.due and not outcome.found:
        say(f"{where} is missed")
    if outcome.false_alarms:
        say(f"{where}: false alarm: {outcome.false_alarms[0]}")
    if made % LOGGED == 0:
        say(f"{made} of {total} runs are made")
