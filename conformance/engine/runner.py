"""Test one target: select checks, run them concurrently, and yield events.

    async for event in run(target, contract, Options()):
        writer.write(event)

Checks start in order, several per request in flight; queued requests of earlier checks are sent
first. Passive checks come last and see all exchanges.

The events are the lines of the record. An interrupted run keeps all results so far and lacks the
footer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    Callable,
    Iterable,
)

from conformance.api import Transport
from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.comparison import Reference
from conformance.engine.discovery import all_checks
from conformance.engine.in_progress import RunInProgress
from conformance.engine.resumption import NOTHING_EARLIER, Earlier
from conformance.engine.selection import Options, choose
from conformance.model import (
    Target,
)
from conformance.record.events import (
    RunEvent,
)

__all__ = ["Options", "run"]


async def run(
    target: Target,
    contract: Contract,
    options: Options,
    *,
    transport: Transport | None = None,
    checks: Iterable[Check] | None = None,
    reference: Reference | None = None,
    clock: Callable[[], float] = time.time,
    is_live: bool = True,
    earlier: Earlier = NOTHING_EARLIER,
) -> AsyncGenerator[RunEvent, None]:
    """Test a target and yield events, the header first and the footer last.

    To stop early, close the generator (``contextlib.aclosing``), which cancels the requests in
    flight. Exceptions of checks become findings with verdict error.

    Args:
        target: the endpoint, the model and the key.
        contract: the contract under test.
        options: the selection of checks, limits and transport options.
        transport: sends the requests instead of the network; limits and sharing still apply.
        checks: the checks to select from; all by default.
        reference: the comparison server, which gets requests that show deviations at the end.
        clock: returns the time in Unix seconds for checks.
        is_live: whether a request can be sent again to find out if the account is still served;
            false for a record.
        earlier: what an earlier part of the run hands on, see :mod:`.resumption`.
    """
    started = time.monotonic()
    in_progress = RunInProgress(
        target,
        contract,
        options,
        choose(all_checks() if checks is None else checks, contract, options),
        transport=transport,
        reference=reference,
        clock=clock,
        is_live=is_live,
        earlier=earlier,
    )
    yield in_progress.started()
    # A separate task does the work, so that events are yielded while checks are in progress.
    work = asyncio.create_task(in_progress.work())
    work.add_done_callback(lambda _: in_progress.events.put_nowait(None))
    try:
        while (event := await in_progress.events.get()) is not None:
            yield event
        await work
    finally:
        work.cancel()
        await asyncio.wait([work])
    yield in_progress.finished(time.monotonic() - started)
