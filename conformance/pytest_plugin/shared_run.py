"""One run of the suite for all tests of a session, also with several processes (pytest-xdist).

The first process that needs a finding becomes the leader and runs all checks of the session
concurrently. All processes read the record as it is written, so no other communication is needed.
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
from conformance.model import Finding, Run, Target, Verdict
from conformance.record.ndjson import RecordError, RunTail, RunWriter
from conformance.transport.redact import Redactor

LEADER, FAILURE, STOP, REPORTED = "leader", "failure.txt", "stop", "reported"
"""Files in the shared folder: the leader's process id, its error, a request to stop, and a marker
that a process has reported why nothing was run."""

DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})
"""Verdicts that the end of the run may change: another finding can explain a deviation."""

POLL_SECONDS = 0.02
"""Seconds between two checks of the files."""


class NoFinding(Exception):  # noqa: N818 - not necessarily an error
    """A check has no finding; the message is the reason in one sentence."""


class SharedRun:
    """A run that all processes of a session share.

    Args:
        target: the endpoint.
        contract: the contract under test.
        options: the options of the run.
        meeting: the folder that the processes of the session share.
        record: the path of the record.
        awaited: ids of checks whose findings are only known at the end of the run, whatever they
            are, because a file expects deviations of them.
    """

    def __init__(
        self,
        target: Target,
        contract: Contract,
        options: Options,
        meeting: Path,
        record: Path,
        *,
        awaited: Collection[str] = (),
    ) -> None:
        self._target, self._contract, self._options = target, contract, options
        self._meeting, self._record = meeting, record
        self._tail = RunTail(record)
        self._thread: threading.Thread | None = None
        self._awaited = frozenset(awaited)

    def finding(self, check: str, session: Collection[str], *, settled: bool = True) -> Finding:
        """Wait for the finding of a check; the first call starts the run.

        Args:
            check: the id of the check.
            session: the ids of all checks of the session, which run together.
            settled: whether to wait with a deviation until the run has ended, when it is known
                whether another finding explains it, or a file expects it.

        Raises:
            NoFinding: the run ended without one.
        """
        self._lead(session)
        while True:
            # Checked before reading: if the run is over now, the file is complete.
            over = self._over()
            self._tail.read()
            found = self._tail.findings.get(check)
            ended = over or self._tail.footer is not None
            if found is not None and (ended or not settled or not self._may_change(found)):
                return found
            if ended:
                raise NoFinding(self._why())
            time.sleep(POLL_SECONDS)

    def _may_change(self, finding: Finding) -> bool:
        return finding.verdict in DEVIATING or finding.id in self._awaited

    def seen(self) -> Run | None:
        """Return the run so far; None before it has started."""
        return self._tail.run()

    def is_first_to_report(self) -> bool:
        """Return true to the first caller of all processes."""
        return self._made(REPORTED)

    def stop(self) -> None:
        """Ask the leader to stop the run, so that no more requests are sent."""
        with suppress(OSError):
            (self._meeting / STOP).touch()

    def finish(self) -> None:
        """Wait until the run is over if this process is the leader."""
        if self._thread is not None:
            self._thread.join()

    def _made(self, name: str) -> bool:
        """Create a file; return false if it exists."""
        try:
            (self._meeting / name).open("x").close()
        except FileExistsError:
            return False
        return True

    def _lead(self, session: Collection[str]) -> None:
        """Start the run unless it has been started."""
        if self._made(LEADER):
            (self._meeting / LEADER).write_text(str(os.getpid()), encoding="ascii")
            checks = [check for check in all_checks() if check.id in session]
            # A daemon thread does not keep an interrupted session alive.
            self._thread = threading.Thread(target=self._judge, args=(checks,), daemon=True)
            self._thread.start()

    def _judge(self, checks: Sequence[Check]) -> None:
        try:
            asyncio.run(self._until_stopped(checks))
        except Exception as error:  # noqa: BLE001 - waiting processes need to know the reason
            reason = f"internal error of the suite: {type(error).__name__}: {error}"
            if isinstance(error, RecordError):
                reason = str(error)
            result = Redactor.of(self._target).text(reason)
            with suppress(OSError):
                (self._meeting / FAILURE).write_text(result, encoding="utf-8", errors="replace")

    async def _until_stopped(self, checks: Sequence[Check]) -> None:
        work = asyncio.create_task(self._write(checks))
        stop = self._meeting / STOP
        while not work.done() and not stop.exists():
            await asyncio.wait([work], timeout=POLL_SECONDS)
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
        """Return whether the record will not grow any more."""
        if self._thread is not None:
            return not self._thread.is_alive()
        if (self._meeting / FAILURE).exists():
            return True
        pid = (self._meeting / LEADER).read_text(encoding="ascii")
        # The file is empty if it was created a moment ago.
        return bool(pid) and not _is_running(int(pid))

    def _why(self) -> str:
        with suppress(OSError):
            return (self._meeting / FAILURE).read_text(encoding="utf-8")
        reason = self._tail.footer.because if self._tail.footer else None
        return reason or "the run ended before this check had a verdict"


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 would kill it on Windows; pytest-xdist detects lost processes
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
