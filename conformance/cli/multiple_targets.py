"""Test every target in ``conformance.toml`` in parallel, each in its own folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console

from conformance.cli import inputs
from conformance.cli.execution import failed, interruptible, stop_when_terminated
from conformance.cli.exit_codes import UserError
from conformance.cli.expected import NONE, Expecting, expecting, revised
from conformance.cli.folder import RECORD, fresh_folder, record_in
from conformance.cli.limits import options_of, slow_rate, typed
from conformance.cli.many_results import Landing, reported, show_many, worst
from conformance.cli.memory import give_back
from conformance.cli.options import tokenizer_of, why_nothing_is_chosen
from conformance.cli.outputs import Output, assert_one_file_each, stdout_for
from conformance.cli.reference import reference_names, with_key
from conformance.cli.resuming import (
    BEGINNING,
    Resume,
    State,
    TakenUp,
    assert_of_targets,
    existing_folder,
    taken_up,
)
from conformance.cli.screen import has_progress, screen
from conformance.cli.terminal import say
from conformance.contract import Contract
from conformance.engine import runner
from conformance.engine.comparison import Reference
from conformance.engine.selection import Options
from conformance.language import Language, Text
from conformance.model import ExitCode, Target
from conformance.record.line import RunFileError
from conformance.record.ndjson import RecordError, read_run
from conformance.report.console import Verbosity
from conformance.report.matrix import Recorded
from conformance.report.matrix.progress import ProgressOfMany
from conformance.targets import FILE, Entry, MissingSecretError, expected_beside
from conformance.targets.references import ReferenceNames
from conformance.tokenizer import Tokenizer
from conformance.transport.exposure import exposure_of

_INTERRUPTED = Text("Interrupted before it started.", "尚未开始即被中断。")


@dataclass(frozen=True, slots=True)
class Planned:
    """One target with its contract, options, reference server and expected deviations.

    ``names`` and ``tokenizer`` are what other machines make the reference server and the tokenizer
    from: its name, and the folder that a path is relative to.
    """

    entry: Entry
    contract: Contract
    options: Options
    reference: Reference | None
    known: Expecting | None = None
    names: ReferenceNames | None = None
    tokenizer: tuple[str, Path] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A target that is ready to run, its folder, and what an earlier part of its run hands on."""

    planned: Planned
    target: Target
    folder: Path
    part: TakenUp


TellFailure = Callable[[str, Text], None]
"""Takes the name of a target and why its run did not come to its end."""

Judge = Callable[[Sequence[Job], ProgressOfMany, TellFailure], Coroutine[None, None, None]]
"""Tests targets, and writes a record into the folder of each."""


def planned_of(
    context: click.Context,
    entry: Entry,
    given: dict[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> Planned:
    """Let the command line override what the file says of a target."""
    here = typed(context)
    is_typed = context.get_parameter_source("contract_name")
    named = given["contract_name"]
    on_command_line = is_typed is click.core.ParameterSource.COMMANDLINE
    contract = inputs.contract(named if on_command_line else entry.contract)
    changed = replace(
        entry, model=given["model"] or entry.model, prices=given["prices"] or entry.prices
    )
    names = reference_names(
        given["reference_name"],
        given["reference_model"],
        given["reference_key_name"],
        bundled_is_judged=False,
    )
    reference = None if names is None else with_key(names, contract, environment)
    known = _known(entry, given)
    options = replace(
        options_of(here, entry.options),
        expected=known.file if known else None,
        tokenizer=given["tokenizer"] or _tokenizer(entry),
        objectives=given["objectives"] or entry.options.objectives,
    )
    typed_tokenizer = given["tokenizer"] and (given["tokenizer"].name, Path.cwd())
    return Planned(
        changed,
        contract,
        options,
        reference,
        known,
        names,
        typed_tokenizer or entry.tokenizer,
    )


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
    resume: Resume | None = None,
    judge: Judge | None = None,
    metrics: Path | None = None,
) -> ExitCode:
    """Test targets in parallel, print each result, and write a matrix of all.

    A target that fails to start does not stop the others; an interruption keeps all results so far.
    ``judge`` tests the targets elsewhere than in this process.
    """
    assert_one_file_each(outputs, [one.entry.name for one in planned])
    folder = (
        fresh_folder(out, "conformance", "targets")
        if resume is None
        else existing_folder(resume.folder)
    )
    with stdout_for(outputs) as stdout, folder as home:
        return _run_into(
            home,
            planned,
            environment,
            Landing(config, outputs, stdout, language, metrics),
            judge=judge or partial(_side_by_side, jobs=jobs),
            verbosity=verbosity,
            resume=resume,
        )


def _run_into(
    home: Path,
    planned: Sequence[Planned],
    environment: Mapping[str, str],
    landing: Landing,
    *,
    judge: Judge,
    verbosity: Verbosity,
    resume: Resume | None,
) -> ExitCode:
    language = landing.language
    ready, reasons, finished = _prepared(home, planned, environment, resume)
    _announce(ready, reasons, language)
    for name in finished:
        say(f"{name}: is finished; nothing is sent")
    terminal = screen()
    with interruptible():
        failures, interrupted = _judge_all(ready, judge, terminal, language, verbosity)
    give_back()
    for name, why in failures.items():
        reasons.setdefault(name, why)
    codes = {one.entry.name: ExitCode.UNDECIDED for one in planned}
    recorded = []
    for one in planned:
        name = one.entry.name
        result = _recorded(one, home / name, reasons.get(name), landing)
        if result.run is not None and name not in failures:
            codes[name] = result.run.exit_code
        recorded.append(result)
    folders = [home / result.name for result in recorded if result.run is not None]
    show_many(recorded, folders, home, landing, terminal=terminal, verbosity=verbosity)
    return worst([*codes.values(), *([ExitCode.INTERRUPTED] if interrupted else [])])


class _Prepared(NamedTuple):
    """What is ready to run, why others are not, and the names of those that are finished."""

    ready: list[Job]
    reasons: dict[str, Text]
    finished: list[str]


def _prepared(
    home: Path,
    planned: Sequence[Planned],
    environment: Mapping[str, str],
    resume: Resume | None,
) -> _Prepared:
    """Find out what there is to do, before anything is sent.

    Raises:
        UserError: records of other runs are in the folder; all of them are named.
    """
    if resume is not None:
        assert_of_targets(home)
    prepared = _Prepared([], {}, [])
    mistakes: list[str] = []
    for one in planned:
        name = one.entry.name
        nothing = why_nothing_is_chosen(one.contract, one.options)
        if nothing:
            prepared.reasons[name] = Text(nothing, "")
            continue
        try:
            target = one.entry.target(one.contract, environment)
            part = _part(home / name, target, one, resume)
        except MissingSecretError as missing:
            prepared.reasons[name] = missing.reason
        except UserError as error:
            mistakes.append(error.message)
        else:
            if part.state is State.FINISHED:
                prepared.finished.append(name)
            else:
                prepared.ready.append(Job(one, target, home / name, part))
    if mistakes:
        *others, last = mistakes
        for mistake in others:
            say(mistake)
        raise UserError(last)
    return prepared


def _part(folder: Path, target: Target, planned: Planned, resume: Resume | None) -> TakenUp:
    if resume is None:
        return BEGINNING
    return taken_up(folder, target, planned.contract, planned.options, repeat=resume.repeat)


def _announce(ready: Sequence[Job], reasons: Mapping[str, Text], language: Language) -> None:
    """Report which key goes to which host, and which targets are left out."""
    for job in ready:
        if job.target.api_key:
            variable, url = job.target.api_key_env, job.target.base_url
            say(f"{job.target.name}: sending the API key in ${variable} to {url}")
        if job.part.state is State.BROKEN_OFF:
            say(f"{job.target.name}: {job.part.sentence}")
        if job.target.balance:
            say(f"{job.target.name}: reading the balance at {job.target.balance.path} on its host")
        if slow := slow_rate(job.planned.options):
            say(f"{job.target.name}: {slow.of(language)}")
        if exposed := exposure_of(job.target):
            say(f"{job.target.name}: {exposed}")
    for name, reason in reasons.items():
        say(f"{name}: {reason.of(language)}")


def _judge_all(
    ready: Sequence[Job], judge: Judge, terminal: Console, language: Language, verbosity: Verbosity
) -> tuple[Mapping[str, Text], bool]:
    """Run all targets; return why some did not come to their end, and if interrupted."""
    failures: dict[str, Text] = {}
    progress = ProgressOfMany(terminal, language, verbosity, has_bars=has_progress())
    try:
        with progress:
            asyncio.run(_until_terminated(judge(ready, progress, failures.__setitem__)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return failures, True
    return failures, False


async def _until_terminated(judging: Coroutine[None, None, None]) -> None:
    stop_when_terminated()
    await judging


async def _side_by_side(
    ready: Sequence[Job], progress: ProgressOfMany, tell_failure: TellFailure, *, jobs: int
) -> None:
    """Test ``jobs`` targets at a time in this process."""
    slots = asyncio.Semaphore(jobs)

    async def judge(job: Job) -> None:
        name = job.planned.entry.name
        async with slots:
            try:
                job.folder.mkdir(exist_ok=True)  # of a run that is resumed
                await _record(job, progress)
            except RecordError as error:
                tell_failure(name, Text(str(error), ""))
            except Exception as error:  # noqa: BLE001 - one target's failure must not stop the others
                sentence = failed(error, job.target, job.folder, job.planned.reference)
                tell_failure(name, Text(sentence, ""))

    async with asyncio.TaskGroup() as all_of_them:
        for job in ready:
            all_of_them.create_task(judge(job))


async def _record(job: Job, progress: ProgressOfMany) -> None:
    planned = job.planned
    events = runner.run(
        job.target,
        planned.contract,
        planned.options,
        reference=planned.reference,
        earlier=job.part.earlier,
    )
    with job.part.writer(job.folder) as writer:
        async with aclosing(events):
            async for event in events:
                writer.write(event)
                progress.show(planned.entry.name, event)


def _recorded(planned: Planned, folder: Path, reason: Text | None, landing: Landing) -> Recorded:
    """Read a target's record and write its reports."""
    entry = planned.entry
    try:
        run = read_run(record_in(folder) or folder / RECORD)
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
    return reported(entry.name, run, folder, landing, reason)
