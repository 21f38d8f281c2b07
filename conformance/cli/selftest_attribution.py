"""``conformance selftest --attribution``: is every statement about a faulty server true?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.text import Text

from conformance.cli import selftest_attribution_markdown as as_markdown
from conformance.cli.execution import interruptible
from conformance.cli.exit_codes import UserError
from conformance.cli.terminal import say
from conformance.model import ExitCode
from conformance.report.console import VERDICT_MARKS, console_for
from conformance.report.locale.terms import listed, plural
from conformance.report.sanitize import cut, line
from conformance.selftest.attribution import (
    Claim,
    Draw,
    Figures,
    Planting,
    RunResult,
    complaints_of,
    false_positives,
    figures_of,
    plantings_of,
)
from conformance.selftest.catalogue import Fault
from conformance.selftest.planted_run import ended_early, result_of
from conformance.selftest.told import names_of, told_in
from conformance.selftest.trials import Trial, Wanted
from conformance.selftest.workers import Craft, WorkerError, results_of

SAMPLE = 24
"""Number of single faults, unless some are selected."""

MAX_NAMES = 6
MAX_SENTENCE_CHARS = 160
LOGGED = 20
"""Number of runs between two progress lines."""

PLANTINGS: Craft[Planting, RunResult] = Craft(result_of, ended_early)
GROUPS = {1: "single faults", 2: "pairs", 5: "fives"}

Function = TypeVar("Function", bound=Callable[..., Any])


def options(function: Function) -> Function:
    """Add the options of ``--attribution`` to a command."""
    for option in reversed(
        (
            click.option(
                "--attribution",
                is_flag=True,
                help="Measure whether findings are true: run all checks against faulty servers and "
                "count the findings that name the fault and the printed commands that show it.",
            ),
            click.option(
                "--sample",
                type=click.IntRange(0),
                metavar="N",
                help=f"With --attribution: number of single faults, drawn at random. "
                f"[default: {SAMPLE}, or all that --fault selects]",
            ),
            click.option(
                "--all", "all_faults", is_flag=True, help="With --attribution: every single fault."
            ),
            click.option(
                "--pairs",
                type=click.IntRange(0),
                default=0,
                metavar="N",
                help="With --attribution: also N servers with two faults each, drawn at random.",
            ),
            click.option(
                "--fives",
                type=click.IntRange(0),
                default=0,
                metavar="N",
                help="With --attribution: also N servers with five faults each.",
            ),
            click.option(
                "--seed",
                type=click.IntRange(0),
                default=0,
                metavar="N",
                help="With --attribution: draw other faults.",
            ),
        )
    ):
        function = option(function)
    return function


def draw_of(
    wanted: Wanted,
    *,
    attribution: bool,
    sample: int | None,
    all_faults: bool,
    pairs: int,
    fives: int,
    seed: int,
) -> Draw | None:
    """Return what to draw; None without ``--attribution``.

    Raises:
        UserError: options do not go together.
    """
    if not attribution:
        if sample is not None or all_faults or pairs or fives or seed:
            raise UserError("--sample, --all, --pairs, --fives and --seed need --attribution")
        return None
    if wanted.variants or wanted.stage or wanted.seeds > 1:
        raise UserError(
            "--attribution runs all checks against faults, once each;"
            " omit --variant, --stage and --seeds"
        )
    if all_faults and sample is not None:
        raise UserError("--all and --sample exclude each other")
    if sample is None and not (all_faults or wanted.faults):
        sample = SAMPLE
    return Draw(sample, pairs, fives, seed)


def attribute(
    trials: Sequence[Trial], draw: Draw, wanted: Wanted, jobs: int, as_format: str
) -> ExitCode:
    """Run the plantings and print the result.

    Returns 1 if a finding is a false positive, a planted fault is reported by no finding, or a
    printed command does not show the deviation.
    """
    # A glob for names and areas also selects triggers; only a glob with a trigger means them.
    triggers = any("@" in glob for glob in wanted.faults)
    faults = [
        trial
        for trial in trials
        if isinstance(trial.shown, Fault)
        and trial.tier is wanted.tier
        and (triggers or trial.trigger is None)
    ]
    plantings = plantings_of(faults, draw)
    if not plantings:
        say("too few faults are selected to draw from")
        return ExitCode.NOTHING_RAN
    results: list[RunResult] = []
    incomplete = None
    try:
        with interruptible(), closing(results_of(plantings, jobs, PLANTINGS)) as made:
            for run in made:
                results.append(run)
                if len(results) % LOGGED == 0:
                    say(f"{len(results)} of {len(plantings)} runs done")
    except WorkerError as error:
        say(str(error))
        incomplete = ExitCode.UNDECIDED
    except KeyboardInterrupt:
        incomplete = ExitCode.INTERRUPTED
    order = {planting.name: place for place, planting in enumerate(plantings)}
    results.sort(key=lambda run: order[run.planting.name])
    left = len(plantings) - len(results)
    complaints = complaints_of(results)
    if left:
        complaints = (f"incomplete: {left} of the runs did not take place", *complaints)
    if as_format == "json":
        click.echo(json.dumps(document(results, complaints), indent=1))
    elif as_format == "markdown":
        click.echo(as_markdown.render(dict(groups(results)), results, complaints), nl=False)
    else:
        show(results, complaints, console_for())
    if incomplete is not None:
        return incomplete
    return ExitCode.NOT_CONFORMING if complaints else ExitCode.CONFORMING


def groups(results: Sequence[RunResult]) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of the single faults, the pairs and the fives."""
    for size, name in GROUPS.items():
        runs = of_size(results, size)
        if runs:
            yield name, figures_of(runs)


def of_size(results: Iterable[RunResult], size: int) -> list[RunResult]:
    """Return the runs with as many planted faults."""
    return [run for run in results if len(run.planting.trials) == size]


def document(results: Sequence[RunResult], complaints: Sequence[str]) -> dict[str, Any]:
    """Return everything as JSON-compatible data."""
    return {
        "complaints": list(complaints),
        "groups": {name: dict(_counts(figures)) for name, figures in groups(results)},
        "by_suite": len(by_suite(results)),
        "told": {name: _told(results, size) for size, name in GROUPS.items()},
        "false_positives": [
            {"check": check, "faults": list(names)} for check, names in false_positives(results)
        ],
        "runs": [_run(run) for run in results],
    }


def _told(results: Iterable[RunResult], size: int) -> dict[str, Any]:
    """Return how often the runs of a group tell each of their causes."""
    told = told_in(of_size(results, size))
    return {
        **asdict(told),
        "per_cause": round(told.per_cause, 4),
        "per_fault": round(told.per_fault, 4),
    }


def by_suite(results: Iterable[RunResult]) -> tuple[Claim, ...]:
    """Return the findings that only the suite's own command shows, as the report says."""
    return tuple(claim for run in results for claim in run.findings if claim.by_suite)


def _counts(figures: Figures) -> Iterator[tuple[str, Any]]:
    yield from asdict(figures).items()
    yield "precision", round(figures.precision, 4)


def _run(run: RunResult) -> dict[str, Any]:
    return {
        "faults": [trial.name for trial in run.planting.trials],
        "tier": run.planting.first.tier.value,
        "unreported": [trial.name for trial in run.unreported],
        "masked": sorted(run.masked),
        "findings": [{**_claim(claim), "names": list(run.named(claim))} for claim in run.findings],
        "others": [_claim(claim) for claim in run.claims if not claim.deviates],
        "states": dict(run.states),
        "false_states": list(run.false_states),
        "headline": run.headline,
        "seconds": run.seconds,
        "because": run.because,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "check": claim.check,
        "requirement": claim.requirement,
        "subject": claim.subject,
        "level": claim.level.value,
        "verdict": claim.verdict.value,
        "message": claim.message,
        "command": claim.command,
        "rerun": claim.rerun,
        "reproduced": claim.reproduced,
        "by_suite": claim.by_suite,
    }


def show(results: Sequence[RunResult], complaints: Sequence[str], console: Console) -> None:
    """Print each run, then the checks with false positives, then the totals."""
    for text in _lines(results, complaints):
        console.print(text, soft_wrap=True)


def _lines(results: Sequence[RunResult], complaints: Sequence[str]) -> Iterator[Text]:
    for run in results:
        yield from _block(run)
    wrong = false_positives(results)
    if wrong:
        yield Text(f"\n{plural(len(wrong), 'check')} with false positives", style="bold")
        for check, names in wrong:
            yield Text(f"  {len(names):3d}  {check}: {listed(names, MAX_NAMES)}")
    yield Text()
    for name, figures in groups(results):
        yield Text(
            f"{figures.runs} {name}: {figures.true} of {figures.findings} findings name their"
            f" cause ({100 * figures.precision:.1f} %), {figures.reported} of {figures.planted}"
            f" faults are reported, {figures.spotless} runs report nothing else,"
            f" {figures.false_states} of {figures.states} states are false."
        )
    yield from _told_lines(results)
    shown = sum(figures.reproduced for _, figures in groups(results))
    commands = sum(figures.commands for _, figures in groups(results))
    yield Text(
        f"{shown} of {commands} findings are shown by their printed commands,"
        f" {len(by_suite(results))} of them by the suite's own command alone, as the report says."
    )
    for complaint in complaints:
        yield Text(f"✗ {complaint}", style="bold red")
    if not complaints:
        yield Text("✓ every finding names its cause, and its command shows it", style="bold green")


def _told_lines(results: Sequence[RunResult]) -> Iterator[Text]:
    """Say how often each planted cause is told, and in which runs more than once."""
    for size, name in GROUPS.items():
        told = told_in(of_size(results, size))
        if told.findings:
            yield Text(
                f"{name}: {plural(told.findings, 'true finding')} for"
                f" {plural(told.causes, 'cause')}, {told.per_cause:.2f} for each"
                f" ({told.per_fault:.2f} for each fault)."
            )
    often = told_in(results).repeated
    if often:
        yield Text(f"told more than once: {listed(names_of(often), MAX_NAMES)}", style="dim")


def _block(run: RunResult) -> Iterator[Text]:
    good = not (run.collateral or run.unreported or run.because)
    yield Text.assemble("✓ " if good else "✗ ", (line(run.planting.name), "bold"))
    if run.because:
        yield Text(f"    {cut(line(run.because), MAX_SENTENCE_CHARS)}")
    if run.unreported:
        yield Text(
            f"    reported by no finding: {listed([trial.name for trial in run.unreported])}"
        )
    if run.masked:
        yield Text(f"    hidden by another fault: {listed(sorted(run.masked))}")
    for claim in run.findings:
        mark, style = VERDICT_MARKS[claim.verdict]
        named = run.named(claim)
        names = f"names {listed(named)}" if named else "names no planted fault"
        again = "" if claim.reproduced is not False else "; its command does not show it"
        yield Text.assemble(
            "    ",
            (f"{mark} {claim.verdict.value}  ", style),
            claim.check,
            (f"  {names}{again}", "dim" if named else "bold red"),
            (f"  {cut(line(claim.message), MAX_SENTENCE_CHARS)}", "dim"),
        )
    false = set(run.false_states)
    states = ", ".join(
        f"{subject} {state}{' (false)' if subject in false else ''}"
        for subject, state in run.states.items()
    )
    if states:
        yield Text(f"    states: {states}", style="dim")
    if run.headline:
        yield Text(f"    headline: {line(run.headline)}", style="dim")
