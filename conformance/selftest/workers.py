"""Processes that make the runs: each has a server of its own and judges one trial after the other.

A worker ends with the pipe that it gets its trials from, and its server with it, so that neither
outlives this process, however that ends.
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
"""Seconds that a worker gets to stop its server before it is ended."""


class WorkerError(Exception):
    """A worker or its server has gone, in one sentence."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection


def outcomes_of(
    trials: Sequence[Trial], jobs: int, command: Sequence[str] = COMMAND
) -> Generator[Outcome, None, None]:
    """Make the runs, as many at a time as there are jobs, and yield what comes of each at once.

    Args:
        trials: what to run.
        jobs: workers at most.
        command: starts a worker's server.

    Raises:
        WorkerError: a worker, or the server of one, ended before it should have.
    """
    todo = iter(trials)
    with _workers(min(jobs, len(trials)), command) as workers:
        busy = {worker.pipe: worker for worker in workers}
        for worker in workers:
            _ask(worker, next(todo))
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)  # noqa: S101 - nothing else is waited for
                outcome = _response(busy[pipe])
                trial = next(todo, None)
                if trial is None:
                    del busy[pipe]
                else:
                    _ask(busy[pipe], trial)
                yield outcome


def _ask(worker: _Worker, trial: Trial) -> None:
    try:
        worker.pipe.send(trial)
    except OSError:
        raise _gone(worker) from None


def _response(worker: _Worker) -> Outcome:
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
    # A fresh interpreter, so that no worker holds another's pipes open by having been forked.
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
    """Judge the trials that come through a pipe until it ends; a worker's whole life."""
    # Ctrl-C goes to all processes of a terminal; this one ends with its pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whoever has gone has closed the pipe, and hears no answer.
    with suppress(EOFError, OSError):
        try:
            with bundled_showcase(command) as server:
                while True:
                    trial: Trial = pipe.recv()
                    try:
                        outcome = asyncio.run(outcome_of(trial, server))
                    except Exception as error:  # noqa: BLE001 - one broken run is told, like a miss
                        outcome = failed(trial, error)
                    if not server.is_running():
                        pipe.send(f"the bundled server ended during the run against {trial.name}")
                        return
                    pipe.send(outcome)
        except BundledServerError as error:
            pipe.send(str(error))
