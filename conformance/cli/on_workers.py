"""``--scheduler``: test the targets of a file on the workers of a Dask cluster.

The records are written here, as the events arrive, so the folder of the run can be resumed at any
moment, with or without the cluster.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError, write_text
from conformance.cli.multiple_targets import Job, Judge, TellFailure
from conformance.cli.resuming import State, taken_up
from conformance.cli.terminal import say
from conformance.cluster.dispatch import Work, judge_all
from conformance.cluster.messages import Assignment
from conformance.cluster.scheduler import (
    ClusterError,
    Local,
    Scheduler,
    assert_usable,
    open_cluster,
)
from conformance.input_files import one_line
from conformance.language import Text
from conformance.record.events import RunEvent
from conformance.record.ndjson import RecordError, RunWriter
from conformance.report.matrix.progress import ProgressOfMany


class OfWorkers(Mapping[str, str]):
    """The environment of machines that are not this one: each variable has an unknown value.

    The values are never sent anywhere: records and targets are compared without them, and a worker
    reads its own.
    """

    def __init__(self) -> None:
        self._value = secrets.token_hex(16)

    def __getitem__(self, name: str) -> str:
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def environment_of(scheduler: Scheduler | None) -> Mapping[str, str]:
    """Return where secrets are read: workers on this machine have its environment."""
    return os.environ if scheduler is None or isinstance(scheduler, Local) else OfWorkers()


def judging_on(scheduler: Scheduler, jobs: int | None) -> Judge:
    """Return what tests targets on a cluster.

    Args:
        scheduler: the cluster.
        jobs: ``--jobs``; None if it was not typed.

    Raises:
        UsageError: it does not fit the scheduler.
    """
    if isinstance(scheduler, Local):
        most = jobs or max(DEFAULT_JOBS, scheduler.processes or 1)
        if scheduler.processes is not None and scheduler.processes > most:
            processes = scheduler.processes
            raise click.UsageError(
                f"--scheduler {scheduler} starts {processes} processes, and --jobs {most} tests "
                f"fewer targets in parallel; use --jobs {processes} or more"
            )
        return partial(_judge_all, scheduler=scheduler, jobs=most)
    if jobs is not None:
        raise click.UsageError(
            f"--jobs is for one machine; each worker of {scheduler} tests as many targets in "
            "parallel as its --nthreads says"
        )
    return partial(_judge_all, scheduler=scheduler, jobs=0)


DEFAULT_JOBS = 4


async def _judge_all(
    ready: Sequence[Job],
    progress: ProgressOfMany,
    tell_failure: TellFailure,
    *,
    scheduler: Scheduler,
    jobs: int,
) -> None:
    """Test targets on a cluster.

    Raises:
        UserError: the cluster cannot be used; nothing has been sent.
    """
    if not ready:
        return
    regions = {
        job.planned.options.region: job.planned.entry.name
        for job in ready
        if job.planned.options.region is not None
    }
    work = [Work(job.planned.entry.name, job.planned.options.region) for job in ready]
    landing = _Landing(ready, progress, tell_failure)
    try:
        threads = _threads(scheduler, jobs, len(ready))
        async with open_cluster(scheduler, threads=threads, regions=tuple(regions)) as cluster:
            await assert_usable(cluster, regions)
            landing.has_begun = True
            await judge_all(cluster, work, landing)
    except ClusterError as error:
        if not landing.has_begun:
            raise UserError(str(error)) from None
        say(str(error))
        for target in landing.left:
            tell_failure(target, Text(str(error), ""))
    finally:
        landing.close()


def _threads(scheduler: Scheduler, jobs: int, targets: int) -> Sequence[int]:
    """Return how many targets each local process tests at a time, ``jobs`` together."""
    if not isinstance(scheduler, Local):
        return ()
    processes = min(scheduler.processes or min(os.cpu_count() or 1, jobs), targets)
    return [len(range(number, jobs, processes)) for number in range(processes)]


class _Landing:
    """Writes the records of a run.

    Attributes:
        has_begun: whether something may have been sent.
        left: the targets that are not done.
    """

    def __init__(
        self, jobs: Sequence[Job], progress: ProgressOfMany, tell_failure: TellFailure
    ) -> None:
        self.has_begun = False
        self._jobs = {job.planned.entry.name: job for job in jobs}
        self.left = set(self._jobs)
        self._progress, self._tell_failure = progress, tell_failure
        self._writers: dict[str, RunWriter] = {}
        self._begun: set[str] = set()

    def begin(self, target: str) -> Assignment | None:
        """Open the record; a second beginning takes over what the first one recorded."""
        job = self._jobs[target]
        planned, part = job.planned, job.part
        self._close(target)
        if target in self._begun:
            try:
                part = taken_up(
                    job.folder, job.target, planned.contract, planned.options, repeat=False
                )
            except UserError as error:  # somebody changed the folder meanwhile
                raise RecordError(error.message) from None
        self._begun.add(target)
        if part.state is State.FINISHED:
            self.left.discard(target)
            return None
        job.folder.mkdir(exist_ok=True)
        self._writers[target] = part.writer(job.folder)
        contract = planned.contract
        return Assignment(
            entry=planned.entry,
            # Of a contract of the user's own, what it has computed for itself stays here.
            contract=contract.name if contract.file is None else replace(contract),
            options=replace(planned.options, tokenizer=None),
            tokenizer=planned.tokenizer,
            reference=planned.names,
            earlier=part.earlier,
        )

    def show(self, target: str, event: RunEvent) -> None:
        """Write an event to the record, then show it."""
        self._writers[target].write(event)
        self._progress.show(target, event)

    def end(self, target: str, reason: Text | None) -> None:
        """Close the record."""
        self._close(target)
        self.left.discard(target)
        if reason is not None:
            say(f"{target}: {reason.en}")
            self._tell_failure(target, reason)

    def fail(self, target: str, sentence: str, details: str) -> None:
        """Close the record and write the details beside it."""
        self._close(target)
        self.left.discard(target)
        if details:
            path = self._jobs[target].folder / f"error-{secrets.token_hex(4)}.txt"
            with suppress(WriteError):
                write_text(path, details, mode=0o600)
                sentence = f"{sentence}; please report it with the details in {path}"
        self._tell_failure(target, Text(one_line(sentence, 600), ""))

    def tell(self, sentence: str) -> None:
        """Print a sentence."""
        say(sentence)

    def _close(self, target: str) -> None:
        writer = self._writers.pop(target, None)
        if writer is not None:
            writer.__exit__(None, None, None)

    def close(self) -> None:
        """Close the records that are open."""
        for target in list(self._writers):
            self._close(target)
