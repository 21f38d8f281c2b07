"""The run itself, from the command line's side: events to the record first, then to the screen."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console

from conformance import runner
from conformance.cli.folder import RECORD
from conformance.cli.guard import details_of, unforeseen
from conformance.contract import Contract
from conformance.events import RunEvent
from conformance.language import Language
from conformance.model import Target
from conformance.reference import Reference
from conformance.reports.console import Progressing
from conformance.selection import Options
from conformance.wire.record import RunWriter
from conformance.wire.redact import Redactor


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, so that a server it started does not outlive it."""
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
) -> str | None:
    """Judge a target, ask the reference what shows deviations, and record it in ``folder``.

    An interruption ends the run and nothing else: what was learned is in the record, which lacks
    its footer then.

    Returns:
        None, or a sentence on what failed that should not have.
    """
    try:
        events = runner.run(target, contract, options, reference=reference)
        asyncio.run(_record(events, folder / RECORD, Progressing(screen, language)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return None
    except Exception as error:  # noqa: BLE001 - what was learned before is still worth a report
        return failed(error, target, folder, reference)
    return None


def failed(
    error: Exception, target: Target, folder: Path, reference: Reference | None = None
) -> str:
    """Keep the details of what should not have failed, and say where they are."""
    # The key can hide in an error's text, and this file is made to be passed on.
    redactor = Redactor.of(target, reference.secrets if reference else ())
    return unforeseen(error, folder, redactor.text(details_of(error)))


async def _record(events: AsyncIterable[RunEvent], record: Path, progress: Progressing) -> None:
    stop_when_terminated()
    with RunWriter(record) as writer, progress:
        async for event in events:
            writer.write(event)
            progress.show(event)


def stop_when_terminated() -> None:
    """End the run on SIGTERM as on Ctrl-C: a CI system that gives up sends nothing else.

    Inside the event loop the signal has to cancel the run; an exception raised from a handler could
    surface in the middle of any check.
    """
    task = asyncio.current_task()
    if task is not None:
        # Windows has no such handlers; there the process just ends.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
