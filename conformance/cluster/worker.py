"""The task of a worker: test one target, and send every event back as it happens.

The runs of a worker process share one event loop in a thread of its own, as the runs of one command
do; Dask's own loop stays free to answer the scheduler. The thread of the task sends the events. Its
run ends as soon as nobody wants it any more: the command was interrupted, killed, or cut off.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import traceback
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import cache
from secrets import token_hex
from typing import NamedTuple, Self

from conformance import __version__
from conformance.cluster.messages import Assignment, Call, to_bytes, unpacked
from conformance.contract import load_contract
from conformance.engine import runner
from conformance.language import Text, same
from conformance.record.events import RunEvent
from conformance.targets import MissingSecretError
from conformance.targets.parsing import TypedError
from conformance.tokenizer import TokenizerError, load_tokenizer
from conformance.transport import gate

POLL_SECONDS = 0.25
WAIT_SECONDS = 1.0
"""How long the scheduler waits for the command line before the worker looks whether it is gone."""

MOST_WAITING = 32
"""Messages of a run that the scheduler keeps until the command line has read them."""

STOP_SECONDS = 10.0
MOST_EVENTS = 20
"""Events that are sent together, if so many are waiting; each may have a body of 8 MiB."""

OTHER_VERSION = Text(
    "The suite has version {there}, and that of the command line is {here}.",
    "套件版本为 {there}，命令行的版本为 {here}。",
)
ON_WORKER = Text("On the worker {worker}: {reason}", "工作进程 {worker}：{reason}")


class TargetFailedError(Exception):
    """A run ended by an internal error; the message is its traceback without secrets."""


class _NotWantedError(Exception):
    """Nobody wants the result of this task any more."""


class _NotRunError(Exception):
    """A target cannot be tested on this worker; ``reason`` says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


def judge(call: Call) -> None:
    """Test a target; a task of Dask.

    Raises:
        TargetFailedError: an internal error, which Dask tries again; what is recorded is kept.
    """
    failure = None
    try:
        with _Channel(call) as channel:
            try:
                _judge(call, channel)
            except _NotRunError as error:
                reason = ON_WORKER.format(reason=error.reason, worker=channel.address)
                channel.send("end", reason=[reason.en, reason.zh])
    except _NotWantedError:
        return
    except Exception:  # noqa: BLE001 - what Dask would send and log may contain a key
        failure = gate.redact(traceback.format_exc())
    if failure is not None:
        # Raised here, so that the original error, which Dask would send as well, is no part of it.
        raise TargetFailedError(failure)


def _judge(call: Call, channel: _Channel) -> None:
    if call.version != __version__:
        raise _NotRunError(OTHER_VERSION.format(there=__version__, here=call.version))
    data = channel.begin()
    if data is None:
        return  # it is finished
    events = _Background(_prepared(unpacked(data)))
    unsent: list[RunEvent] = []
    is_last = False
    try:
        with events:
            while not is_last:
                unsent, is_last = events.next()
                channel.assert_wanted()
                if unsent:
                    channel.send("events", data=to_bytes(unsent))
                    unsent = []
        channel.send("end", reason=None)
    except _NotWantedError:
        # What was answered is paid for, and an interrupted command waits for it.
        channel.send_last(data=to_bytes([*unsent, *events.rest()]))
        raise


def _prepared(assignment: Assignment) -> AsyncGenerator[RunEvent, None]:
    """Read the secrets and files of a target, and begin its run.

    Raises:
        _NotRunError: one of them is missing on this machine.
    """
    named = assignment.contract
    contract = load_contract(named) if isinstance(named, str) else named
    options, entry = assignment.options, assignment.entry
    try:
        target = entry.target(contract, os.environ)
        names = assignment.reference
        reference = None if names is None else names.reference(contract, os.environ)
        if assignment.tokenizer is not None:
            options = replace(options, tokenizer=load_tokenizer(*assignment.tokenizer))
    except MissingSecretError as error:
        raise _NotRunError(error.reason) from None
    except (TypedError, TokenizerError) as error:
        raise _NotRunError(same(str(error))) from None
    return runner.run(target, contract, options, reference=reference, earlier=assignment.earlier)


class _Channel:
    """What a task says to the command line, and gets from it; a context manager.

    Attributes:
        address: the address of this worker.
    """

    def __init__(self, call: Call) -> None:
        from distributed import Queue, get_client, get_worker  # noqa: PLC0415 - optional

        self._call, self._attempt = call, token_hex(8)
        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self.address: str = self._worker.address
        client = get_client()
        self._results = Queue(call.run, client=client, maxsize=MOST_WAITING)
        self._reply = Queue(f"{call.run}-{self._attempt}", client=client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the scheduler may be gone, and its queues with it
            self._reply.close()
            self._results.close()

    def begin(self) -> bytes | None:
        """Ask for the assignment; None if there is nothing to do.

        Raises:
            _NotWantedError: nobody wants the result any more.
        """
        self.send("begin")
        while True:
            self.assert_wanted()
            with suppress(TimeoutError):
                data: bytes = self._reply.get(timeout=WAIT_SECONDS)
                return data or None

    def send(self, kind: str, **content: object) -> None:
        """Send a message, and wait while the command line is behind.

        Raises:
            _NotWantedError: nobody wants the result any more.
        """
        message = self._message(kind, content)
        while True:
            self.assert_wanted()
            with suppress(TimeoutError):
                self._results.put(message, timeout=WAIT_SECONDS)
                return

    def send_last(self, **content: object) -> None:
        """Send what is left of a run that ends early, if there is somebody to take it."""
        with suppress(Exception):
            self._results.put(self._message("stopped", content), timeout=WAIT_SECONDS)

    def _message(self, kind: str, content: Mapping[str, object]) -> dict[str, object]:
        return {
            "kind": kind,
            "target": self._call.target,
            "attempt": self._attempt,
            "worker": self.address,
            **content,
        }

    def assert_wanted(self) -> None:
        """Check that Dask still waits for this task on this worker.

        A task whose command has ended is cancelled; one whose worker retires is begun elsewhere.

        Raises:
            _NotWantedError: it does not.
        """
        task = self._worker.state.tasks.get(self._key)
        is_at_work = self._worker.status.name in {"running", "paused"}
        if task is None or task.state not in {"executing", "long-running"} or not is_at_work:
            raise _NotWantedError


class _Batch(NamedTuple):
    """Events in order, perhaps none; the last batch ends the run."""

    events: list[RunEvent]
    is_last: bool


class _Background:
    """A run on the event loop of this process, read from another thread; a context manager.

    Leaving the block ends the run: requests in flight are cancelled.
    """

    def __init__(self, events: AsyncGenerator[RunEvent, None]) -> None:
        self._events = events
        self._waiting: queue.SimpleQueue[RunEvent | None] = queue.SimpleQueue()
        self._has_ended = threading.Event()
        self._run = asyncio.run_coroutine_threadsafe(self._work(), _loop())

    async def _work(self) -> None:
        try:
            async with aclosing(self._events):
                async for event in self._events:
                    self._waiting.put(event)
        finally:
            self._has_ended.set()
            self._waiting.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run.cancel()
        self._has_ended.wait(STOP_SECONDS)

    def next(self) -> _Batch:
        """Return what has happened, after a moment without any event nothing.

        Raises:
            Exception: what ended the run.
        """
        batch: list[RunEvent] = []
        try:
            event = self._waiting.get(timeout=POLL_SECONDS)
            while event is not None:
                batch.append(event)
                if len(batch) == MOST_EVENTS:
                    return _Batch(batch, is_last=False)
                event = self._waiting.get_nowait()
        except queue.Empty:
            return _Batch(batch, is_last=False)
        self._run.result()
        return _Batch(batch, is_last=True)

    def rest(self) -> list[RunEvent]:
        """Return what has happened since the last batch, after the run was ended."""
        rest = []
        with suppress(queue.Empty):
            while (event := self._waiting.get_nowait()) is not None:
                rest.append(event)
        return rest


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of all runs of this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="conformance", daemon=True).start()
    return loop
