"""Test every target in ``conformance.toml`` in parallel, each in its own folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console

from conformance.cli import inputs
from conformance.cli.execution import failed, interruptible, stop_when_terminated
from conformance.cli.expected import NONE, Expecting, expecting, revised
from conformance.cli.files import WriteError
from conformance.cli.folder import RECORD, fresh_folder, write_reports
from conformance.cli.github import show_in_ci
from conformance.cli.limits import options_of, slow_rate, typed
from conformance.cli.matrix_files import write_matrix
from conformance.cli.memory import give_back
from conformance.cli.options import tokenizer_of, why_nothing_is_chosen
from conformance.cli.outputs import (
    Output,
    Rendered,
    assert_one_file_each,
    names_of,
    stdout_for,
    write_named,
)
from conformance.cli.places import place_of
from conformance.cli.reference import reference_of
from conformance.cli.screen import has_progress, screen
from conformance.cli.terminal import say, show
from conformance.contract import Contract, common_to
from conformance.docs_audit.page_reader import PAGES
from conformance.engine import runner
from conformance.engine.comparison import Reference
from conformance.engine.selection import Options
from conformance.language import Language, Text
from conformance.model import ExitCode, Run, Target
from conformance.record.line import RunFileError
from conformance.record.ndjson import (
    RecordError,
    RunWriter,
    read_run,
)
from conformance.report.console import Verbosity
from conformance.report.console import show as show_run
from conformance.report.matrix import Matrix, Recorded, matrix_of
from conformance.report.matrix import terminal as text
from conformance.report.matrix.progress import ProgressOfMany
from conformance.targets import FILE, Entry, MissingSecretError, expected_beside
from conformance.tokenizer import Tokenizer
from conformance.transport.exposure import exposure_of

WORST_FIRST = (
    ExitCode.NOT_CONFORMING,
    ExitCode.INTERRUPTED,
    ExitCode.UNDECIDED,
    ExitCode.NOTHING_RAN,
    ExitCode.CONFORMING,
)
"""Precedence of exit codes; the first one that occurs wins."""

_INTERRUPTED = Text("Interrupted before it started.", "尚未开始即被中断。")


@dataclass(frozen=True, slots=True)
class Planned:
    """One target with its contract, options, reference server and expected deviations."""

    entry: Entry
    contract: Contract
    options: Options
    reference: Reference | None
    known: Expecting | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """A target that is ready to run, and its folder."""

    planned: Planned
    target: Target
    folder: Path


@dataclass(frozen=True, slots=True)
class _Landing:
    """Where reports go, and what they are made of."""

    config: Path
    outputs: Sequence[Output]
    stdout: TextIO
    language: Language

    def rendered(self, run: Run) -> Rendered:
        """Return what the reports of one run are made of."""
        return Rendered(None, self.language, place_of(run.header, self.config))


def planned_of(context: click.Context, entry: Entry, given: dict[str, Any]) -> Planned:
    """Let the command line override what the file says of a target."""
    here = typed(context)
    is_typed = context.get_parameter_source("contract_name")
    named = given["contract_name"]
    on_command_line = is_typed is click.core.ParameterSource.COMMANDLINE
    contract = inputs.contract(named if on_command_line else entry.contract)
    changed = replace(
        entry, model=given["model"] or entry.model, prices=given["prices"] or entry.prices
    )
    reference = reference_of(
        given["reference_name"],
        given["reference_model"],
        given["reference_key_name"],
        contract=contract,
        bundled_is_judged=False,
    )
    known = _known(entry, given)
    options = replace(
        options_of(here, entry.options),
        expected=known.file if known else None,
        tokenizer=given["tokenizer"] or _tokenizer(entry),
    )
    return Planned(changed, contract, options, reference, known)


def _tokenizer(entry: Entry) -> Tokenizer | None:
    if entry.tokenizer is None:
        return None
    name, folder = entry.tokenizer
    return tokenizer_of(name, folder, f"target {entry.name!r}: tokenizer")


def _known(entry: Entry, given: dict[str, Any]) -> Expecting | None:
    """Read the expected deviations of a target: those of ``--expected``, or its own."""
    name = given["expected_name"]
    changes = {"update": given["expected_update"], "prune": given["expected_prune"]}
    if name is not None:
        return expecting(None if name == NONE else Path(name), **changes)
    if entry.expected is None and not changes["update"]:
        return None
    beside = expected_beside(given["config"] or Path(FILE), entry.name)
    return expecting(entry.expected or beside, **changes)


def run_many(
    planned: Sequence[Planned],
    environment: Mapping[str, str],
    config: Path,
    *,
    jobs: int,
    out: Path | None,
    outputs: Sequence[Output],
    language: Language,
    verbosity: Verbosity = Verbosity.NORMAL,
) -> ExitCode:
    """Test targets in parallel, print each result, and write a matrix of all.

    A target that fails to start does not stop the others; an interruption keeps all results so far.
    """
    assert_one_file_each(outputs, [one.entry.name for one in planned])
    with stdout_for(outputs) as stdout, fresh_folder(out, "conformance", "targets") as home:
        return _run_into(
            home,
            planned,
            environment,
            _Landing(config, outputs, stdout, language),
            jobs=jobs,
            verbosity=verbosity,
        )


def _run_into(
    home: Path,
    planned: Sequence[Planned],
    environment: Mapping[str, str],
    landing: _Landing,
    *,
    jobs: int,
    verbosity: Verbosity,
) -> ExitCode:
    language = landing.language
    ready: list[_Job] = []
    reasons: dict[str, Text] = {}
    for one in planned:
        nothing = why_nothing_is_chosen(one.contract, one.options)
        if nothing:
            reasons[one.entry.name] = Text(nothing, "")
            continue
        try:
            target = one.entry.target(one.contract, environment)
        except MissingSecretError as missing:
            reasons[one.entry.name] = missing.reason
        else:
            ready.append(_Job(one, target, home / one.entry.name))
    _announce(ready, reasons, language)
    terminal = screen()
    with interruptible():
        failures, interrupted = _judge_all(ready, jobs, terminal, language, verbosity)
    give_back()
    for name, sentence in failures.items():
        reasons.setdefault(name, Text(sentence, ""))
    codes = {one.entry.name: ExitCode.UNDECIDED for one in planned}
    recorded = []
    for one in planned:
        name = one.entry.name
        result = _recorded(one, home / name, reasons.get(name), landing)
        if result.run is not None and name not in failures:
            codes[name] = result.run.exit_code
        recorded.append(result)
    matrix = matrix_of(recorded, PAGES, common_to(PAGES))
    _print_results(recorded, matrix, terminal, language, verbosity)
    for result in recorded:
        if result.run is not None:
            click.echo(home / result.name)
    runs = [
        (one.name, one.run, landing.rendered(one.run)) for one in recorded if one.run is not None
    ]
    try:
        for path in write_named(runs, landing.outputs, landing.stdout):
            click.echo(path)
    finally:
        for path in write_matrix(matrix, home, names_of(landing.outputs), language):
            click.echo(path)
        show_in_ci(runs, language)
    return worst([*codes.values(), *([ExitCode.INTERRUPTED] if interrupted else [])])


def _print_results(
    recorded: Sequence[Recorded],
    matrix: Matrix,
    terminal: Console,
    language: Language,
    verbosity: Verbosity,
) -> None:
    """Print the table and the causes; a single run is printed as `conformance run` prints one."""
    runs = [one for one in recorded if one.run is not None]
    if len(recorded) == len(runs) == 1 and runs[0].run is not None:
        show_run(runs[0].run, terminal, language, verbosity)
    elif verbosity is Verbosity.QUIET:
        show(text.sentence(matrix, language), terminal)
    elif len(runs) == 1 and runs[0].run is not None:
        show_run(runs[0].run, terminal, language, verbosity)
    else:
        click.echo()
        show(text.render(matrix, language), terminal)
        for one in runs if verbosity is Verbosity.VERBOSE else []:
            click.echo(f"\n{one.name}")
            if one.run is not None:
                show_run(one.run, terminal, language, verbosity)
        if verbosity is not Verbosity.VERBOSE:
            show(text.causes(runs, terminal, language), terminal)
    click.echo()


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code for several runs: the worst one."""
    return min(codes, key=WORST_FIRST.index, default=ExitCode.NOTHING_RAN)


def _announce(ready: Sequence[_Job], reasons: Mapping[str, Text], language: Language) -> None:
    """Report which key goes to which host, and which targets are left out."""
    for job in ready:
        if job.target.api_key:
            variable, url = job.target.api_key_env, job.target.base_url
            say(f"{job.target.name}: sending the API key in ${variable} to {url}")
        if slow := slow_rate(job.planned.options):
            say(f"{job.target.name}: {slow.of(language)}")
        if exposed := exposure_of(job.target):
            say(f"{job.target.name}: {exposed}")
    for name, reason in reasons.items():
        say(f"{name}: {reason.of(language)}")


def _judge_all(
    ready: Sequence[_Job], jobs: int, terminal: Console, language: Language, verbosity: Verbosity
) -> tuple[Mapping[str, str], bool]:
    """Run ``jobs`` targets at a time; return internal errors by target and if interrupted."""
    failures: dict[str, str] = {}
    progress = ProgressOfMany(terminal, language, verbosity, has_bars=has_progress())
    try:
        with progress:
            asyncio.run(_side_by_side(ready, jobs, progress, failures.__setitem__))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return failures, True
    return failures, False


async def _side_by_side(
    ready: Sequence[_Job],
    jobs: int,
    progress: ProgressOfMany,
    tell_failure: Callable[[str, str], None],
) -> None:
    stop_when_terminated()
    slots = asyncio.Semaphore(jobs)

    async def judge(job: _Job) -> None:
        name = job.planned.entry.name
        async with slots:
            try:
                job.folder.mkdir()
                await _record(job, progress)
            except RecordError as error:
                tell_failure(name, str(error))
            except Exception as error:  # noqa: BLE001 - one target's failure must not stop the others
                sentence = failed(error, job.target, job.folder, job.planned.reference)
                tell_failure(name, sentence)

    async with asyncio.TaskGroup() as all_of_them:
        for job in ready:
            all_of_them.create_task(judge(job))


async def _record(job: _Job, progress: ProgressOfMany) -> None:
    planned = job.planned
    events = runner.run(job.target, planned.contract, planned.options, reference=planned.reference)
    with RunWriter(job.folder / RECORD) as writer:
        async with aclosing(events):
            async for event in events:
                writer.write(event)
                progress.show(planned.entry.name, event)


def _recorded(
    planned: Planned,
    folder: Path,
    reason: Text | None,
    landing: _Landing,
) -> Recorded:
    """Read a target's record and write its reports."""
    entry = planned.entry
    try:
        run = read_run(folder / RECORD)
    except RunFileError:
        return Recorded(
            entry.name,
            document=planned.contract.document,
            because=reason or _INTERRUPTED,
            base_url=entry.base_url,
            model=entry.model,
        )
    if planned.known is not None and reason is None:
        run = revised(run, planned.known, folder / RECORD)
    try:
        written = write_reports(run, folder, names_of(landing.outputs), landing.rendered(run))
    except WriteError as error:
        # A report that cannot be written must not stop the other targets.
        say(error.message)
        written = []
    page = next((f"{entry.name}/{path.name}" for path in written if path.suffix == ".html"), None)
    return Recorded(entry.name, run, page, because=reason)
