"""Worker processes that execute trials, each with its own server.

A worker ends when its pipe is closed, and its server with it, so that neither outlives the parent
process, however that ends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from conformance.selftest.execution import failed, outcome_of
from conformance.selftest.outcome import Outcome
from conformance.selftest.trials import Trial
from conformance.targets.bundled import COMMAND, BundledServerError, bundled_showcase

STOP_TIMEOUT_SECONDS = 15.0
"""Timeout for a worker to stop its server, before it is killed."""


class WorkerError(Exception):
    """A worker or its server ended unexpectedly; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


def outcomes_of(
    trials: Sequence[Trial], jobs: int, command: Sequence[str] = COMMAND
) -> Generator[Outcome, None, None]:
    """Execute trials in parallel and yield each outcome as soon as it is there.

    Args:
        trials: the trials.
        jobs: maximum number of workers.
        command: the command that starts a worker's server.

    Raises:
        WorkerError: a worker or its server ended unexpectedly.
    """
    todo = iter(trials)
    with _workers(min(jobs, len(trials)), command) as workers:
        busy = {worker.pipe: worker for worker in workers}
        for worker in workers:
            _assign(worker, next(todo))
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 - `busy` has only connections
                outcome = _result(busy[pipe])
                trial = next(todo, None)
                if trial is None:
                    del busy[pipe]
                else:
                    _assign(busy[pipe], trial)
                yield outcome


def _assign(worker: _Worker, trial: Trial) -> None:
    try:
        worker.pipe.send(trial)
    except OSError:
        raise _gone(worker) from None


def _result(worker: _Worker) -> Outcome:
    try:
        result = worker.pipe.recv()
    except (EOFError, OSError):
        raise _gone(worker) from None
    if isinstance(result, Outcome):
        return result
    raise WorkerError(str(result))


def _gone(worker: _Worker) -> WorkerError:
    worker.process.join(STOP_TIMEOUT_SECONDS)
    return WorkerError(f"a selftest worker process ended (exit code {worker.process.exitcode})")


@contextmanager
def _workers(count: int, command: Sequence[str]) -> Iterator[list[_Worker]]:
    # A forked worker would inherit, and hold open, the pipes of the others.
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, command), daemon=True)
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


def work(pipe: Connection, command: Sequence[str]) -> None:
    """Execute trials from a pipe until it is closed; the main function of a worker."""
    # Ctrl-C reaches all processes of a terminal; this one ends when its pipe is closed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The pipe is closed if the parent process has ended.
    with suppress(EOFError, OSError):
        try:
            with bundled_showcase(command) as server:
                while True:
                    trial: Trial = pipe.recv()
                    try:
                        outcome = asyncio.run(outcome_of(trial, server))
                    except Exception as error:  # noqa: BLE001 - an internal error is an outcome
                        outcome = failed(trial, error)
                    if not server.is_running():
                        pipe.send(f"the bundled server ended during the run against {trial.name}")
                        return
                    pipe.send(outcome)
        except BundledServerError as error:
            pipe.send(str(error))
