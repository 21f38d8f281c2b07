"""One run of the suite for all tests of a session, also where several processes share them.

The first process that wants a finding becomes the leader and judges every check that the session
collected, concurrently and with shared requests. All of them read the run file as it grows, so that
nothing else has to cross from one process to another.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.discovery import all_checks
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import Finding, Run, Target
from conformance.record.ndjson import RunTail, RunWriter
from conformance.transport.redact import Redactor

LEADER, FAILURE, STOP, REPORTED = "leader", "failure.txt", "stop", "told"
"""The files by which processes talk: who leads, what failed, that it is to end, who complained."""

PAUSE = 0.02
"""Seconds between two looks at the files."""


class NoFinding(Exception):  # noqa: N818 - nothing need have failed
    """A check has no finding, with the reason in one sentence."""


class SharedRun:
    """A run that its readers wait for.

    Args:
        target: the endpoint.
        contract: what it is held to.
        options: how much to judge.
        meeting: the folder in which the processes of a session meet.
        record: where the run file grows.
    """

    def __init__(
        self, target: Target, contract: Contract, options: Options, meeting: Path, record: Path
    ) -> None:
        self._target, self._contract, self._options = target, contract, options
        self._meeting, self._record = meeting, record
        self._tail = RunTail(record)
        self._thread: threading.Thread | None = None

    def finding(self, check: str, session: Collection[str]) -> Finding:
        """Wait for what a check concluded.

        Args:
            check: its id.
            session: the ids of all checks of the session, which are judged together.

        Raises:
            NoFinding: the run ended without one.
        """
        self._lead(session)
        while True:
            # Looked at before the file is read: what ended since has written all it will.
            over = self._over()
            self._tail.read()
            found = self._tail.findings.get(check)
            if found is not None:
                return found
            if over or self._tail.footer is not None:
                raise NoFinding(self._why())
            time.sleep(PAUSE)

    def seen(self) -> Run | None:
        """Return the run as far as it has come; None before it has begun."""
        return self._tail.run()

    def is_first_to_report(self) -> bool:
        """Tell whether no process of the session has asked this before."""
        return self._made(REPORTED)

    def stop(self) -> None:
        """Let whichever process leads give up at once, so that nothing more is paid for."""
        with suppress(OSError):
            (self._meeting / STOP).touch()

    def finish(self) -> None:
        """Wait until the run is over, where this process leads it."""
        if self._thread is not None:
            self._thread.join()

    def _made(self, name: str) -> bool:
        """Make a file, unless this or another process has."""
        try:
            (self._meeting / name).open("x").close()
        except FileExistsError:
            return False
        return True

    def _lead(self, session: Collection[str]) -> None:
        """Begin the run, unless this or another process has."""
        if self._made(LEADER):
            (self._meeting / LEADER).write_text(str(os.getpid()), encoding="ascii")
            checks = [check for check in all_checks() if check.id in session]
            # A daemon, so that a session that is killed in the middle does not wait for it.
            self._thread = threading.Thread(target=self._judge, args=(checks,), daemon=True)
            self._thread.start()

    def _judge(self, checks: Sequence[Check]) -> None:
        try:
            asyncio.run(self._until_stopped(checks))
        except Exception as error:  # noqa: BLE001 - whoever waits has to be told
            result = Redactor.of(self._target).text(f"{type(error).__name__}: {error}")
            with suppress(OSError):
                (self._meeting / FAILURE).write_text(result, encoding="utf-8", errors="replace")

    async def _until_stopped(self, checks: Sequence[Check]) -> None:
        work = asyncio.create_task(self._write(checks))
        stop = self._meeting / STOP
        while not work.done() and not stop.exists():
            await asyncio.wait([work], timeout=PAUSE)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    async def _write(self, checks: Sequence[Check]) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        judging = run(self._target, self._contract, self._options, checks=checks)
        with RunWriter(self._record) as writer:
            async with aclosing(judging) as events:
                async for event in events:
                    writer.write(event)

    def _over(self) -> bool:
        """Tell whether nothing more will be written."""
        if self._thread is not None:
            return not self._thread.is_alive()
        if (self._meeting / FAILURE).exists():
            return True
        pid = (self._meeting / LEADER).read_text(encoding="ascii")
        # Empty, it was made a moment ago.
        return bool(pid) and not _is_running(int(pid))

    def _why(self) -> str:
        with suppress(OSError):
            result = (self._meeting / FAILURE).read_text(encoding="utf-8")
            return f"internal error of the suite: {result}"
        reason = self._tail.footer.because if self._tail.footer else None
        return reason or "the run ended before this check had a verdict"


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there a signal of zero would end it; pytest-xdist notices a lost process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
