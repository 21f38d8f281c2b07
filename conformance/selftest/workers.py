"""Worker processes that execute trials or other jobs, each with its own server.

A worker ends when its pipe is closed, and its server with it, so that neither outlives the parent
process, however that ends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, Protocol, TypeVar

from conformance.selftest.execution import failed, outcome_of
from conformance.selftest.outcome import Outcome
from conformance.selftest.trials import Trial
from conformance.targets.bundled import (
    COMMAND,
    BundledServer,
    BundledServerError,
    bundled_showcase,
)

STOP_TIMEOUT_SECONDS = 15.0
"""Timeout for a worker to stop its server, before it is killed."""


class WorkerError(Exception):
    """A worker or its server ended unexpectedly; the message is one sentence."""


class Job(Protocol):
    """What a worker executes; it must be picklable."""

    @property
    def name(self) -> str:
        """The name for messages."""


SomeJob = TypeVar("SomeJob", bound=Job)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Craft(Generic[SomeJob, Result]):
    """How workers execute a kind of job; both are functions of a module.

    ``execute`` makes the result, and ``failed`` that of a job that ended with an internal error.
    """

    execute: Callable[[SomeJob, BundledServer], Awaitable[Result]]
    failed: Callable[[SomeJob, Exception], Result]


TRIALS: Craft[Trial, Outcome] = Craft(outcome_of, failed)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


def outcomes_of(
    trials: Sequence[Trial], jobs: int, command: Sequence[str] = COMMAND
) -> Generator[Outcome, None, None]:
    """Execute trials in parallel; see :func:`results_of`."""
    return results_of(trials, jobs, TRIALS, command)


def results_of(
    todo: Sequence[SomeJob],
    jobs: int,
    craft: Craft[SomeJob, Result],
    command: Sequence[str] = COMMAND,
) -> Generator[Result, None, None]:
    """Execute jobs in parallel and yield each result as soon as it is there.

    Args:
        todo: the jobs.
        jobs: maximum number of workers.
        craft: how they are executed.
        command: the command that starts a worker's server.

    Raises:
        WorkerError: a worker or its server ended unexpectedly.
    """
    left = iter(todo)
    with _workers(min(jobs, len(todo)), craft, command) as workers:
        busy = {worker.pipe: worker for worker in workers}
        for worker in workers:
            _assign(worker, next(left))
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 - `busy` has only connections
                result: Result = _result(busy[pipe])
                job = next(left, None)
                if job is None:
                    del busy[pipe]
                else:
                    _assign(busy[pipe], job)
                yield result


def _assign(worker: _Worker, job: Job) -> None:
    try:
        worker.pipe.send(job)
    except OSError:
        raise _gone(worker) from None


def _result(worker: _Worker) -> Any:
    try:
        result = worker.pipe.recv()
    except (EOFError, OSError):
        raise _gone(worker) from None
    if isinstance(result, str):
        raise WorkerError(result)
    return result


def _gone(worker: _Worker) -> WorkerError:
    worker.process.join(STOP_TIMEOUT_SECONDS)
    return WorkerError(f"a selftest worker process ended (exit code {worker.process.exitcode})")


@contextmanager
def _workers(
    count: int, craft: Craft[SomeJob, Result], command: Sequence[str]
) -> Iterator[list[_Worker]]:
    # A forked worker would inherit, and hold open, the pipes of the others.
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, craft, command), daemon=True)
            process.start()
            theirs.close()
            workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            worker.process.join(STOP_TIMEOUT_SECONDS)
            worker.process.kill()
            worker.process.join()


async def _executed(craft: Craft[SomeJob, Result], job: SomeJob, server: BundledServer) -> Result:
    return await craft.execute(job, server)


def work(pipe: Connection, craft: Craft[SomeJob, Result], command: Sequence[str]) -> None:
    """Execute jobs from a pipe until it is closed; the main function of a worker."""
    # Ctrl-C reaches all processes of a terminal; this one ends when its pipe is closed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The pipe is closed if the parent process has ended.
    with suppress(EOFError, OSError):
        try:
            with bundled_showcase(command) as server:
                while True:
                    job: SomeJob = pipe.recv()
                    try:
                        result = asyncio.run(_executed(craft, job, server))
                    except Exception as error:  # noqa: BLE001 - an internal error is a result
                        result = craft.failed(job, error)
                    if not server.is_running():
                        pipe.send(f"the bundled server ended during the run against {job.name}")
                        return
                    pipe.send(result)
        except BundledServerError as error:
            pipe.send(str(error))
