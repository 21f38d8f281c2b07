"""How late the event loop of this process runs: what it reads late may have arrived in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

INTERVAL_SECONDS = 0.005
"""Seconds between two looks at the clock."""


class EventLoopLag:
    """The longest that this program has been kept from its work, in seconds."""

    def __init__(self) -> None:
        self.worst = 0.0

    def note(self, late: float) -> None:
        """Note by how many seconds it was late."""
        self.worst = max(self.worst, late)


@asynccontextmanager
async def event_loop_lag() -> AsyncIterator[EventLoopLag]:
    """Watch, while a block runs, how late the event loop comes to what is due."""
    watched = EventLoopLag()
    due = time.monotonic() + INTERVAL_SECONDS

    async def watch() -> None:
        nonlocal due
        while True:
            due = time.monotonic() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            watched.note(time.monotonic() - due)

    beating = asyncio.create_task(watch())
    try:
        yield watched
    finally:
        beating.cancel()
        # A block may end before the next beat of a loop that was held up all the while.
        watched.note(time.monotonic() - due)
