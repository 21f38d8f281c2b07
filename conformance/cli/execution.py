"""Execute a run for the command line: write each event to the record, then show it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path

from rich.console import Console

from conformance.cli.exit_codes import UserError, details_of, unforeseen
from conformance.cli.folder import new_record
from conformance.cli.resuming import BEGINNING, TakenUp
from conformance.cli.screen import has_progress
from conformance.contract import Contract
from conformance.engine import runner
from conformance.engine.comparison import Reference
from conformance.engine.selection import Options
from conformance.language import Language
from conformance.model import Target
from conformance.record.events import RunEvent
from conformance.record.ndjson import RecordError, RunWriter
from conformance.report.console import Progressing, Verbosity
from conformance.transport.redact import Redactor


@contextmanager
def interruptible() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that a server started by the command is stopped."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def judge(
    target: Target,
    contract: Contract,
    options: Options,
    folder: Path,
    screen: Console,
    *,
    reference: Reference | None = None,
    language: Language = Language.ENGLISH,
    verbosity: Verbosity = Verbosity.NORMAL,
    part: TakenUp = BEGINNING,
) -> str | None:
    """Test a target and write the record to ``folder``.

    After an interruption the record contains everything up to then, without a footer. ``part`` is
    what an earlier part of the run hands on.

    Returns:
        None, or a message about why the run ended early: a full disk, or an internal error.

    Raises:
        UserError: the record cannot be created; nothing has been sent.
    """
    with _record_in(folder, part) as writer:
        try:
            events = runner.run(
                target, contract, options, reference=reference, earlier=part.earlier
            )
            progress = Progressing(screen, language, verbosity, has_bar=has_progress())
            asyncio.run(_record(events, writer, progress))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return None
        except RecordError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a report of the results so far is still written
            return failed(error, target, folder, reference)
    return None


def _record_in(folder: Path, part: TakenUp) -> RunWriter:
    if part is BEGINNING:
        return new_record(folder)
    try:
        return part.writer(folder)
    except RecordError as error:
        raise UserError(str(error)) from None


def failed(
    error: Exception, target: Target, folder: Path, reference: Reference | None = None
) -> str:
    """Write the traceback of an internal error to ``folder`` and return a message."""
    # An error's text may contain the key, and this file may be shared.
    redactor = Redactor.of(target, reference.secrets if reference else ())
    return unforeseen(error, folder, redactor.text(details_of(error)))


async def _record(
    events: AsyncGenerator[RunEvent, None], writer: RunWriter, progress: Progressing
) -> None:
    stop_when_terminated()
    with progress:
        async with aclosing(events):
            async for event in events:
                writer.write(event)
                progress.show(event)


def stop_when_terminated() -> None:
    """End the run on SIGTERM as on Ctrl-C; CI systems send only SIGTERM on a timeout.

    The handler cancels the task: an exception raised from a handler could surface inside any check.
    """
    task = asyncio.current_task()
    if task is not None:
        # Windows event loops have no signal handlers; the process just ends there.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
