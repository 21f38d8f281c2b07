"""The lag of this process's event loop: data that it reads late may have arrived in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

INTERVAL_SECONDS = 0.005
"""Seconds between two readings of the clock."""


class EventLoopLag:
    """The largest delay of the event loop, in seconds."""

    def __init__(self) -> None:
        self.worst = 0.0

    def note(self, late: float) -> None:
        """Record a delay of ``late`` seconds."""
        self.worst = max(self.worst, late)


@asynccontextmanager
async def event_loop_lag() -> AsyncIterator[EventLoopLag]:
    """Measure the delay of the event loop while a block runs."""
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
        # A block may end before the next reading in a loop that was blocked all the time.
        watched.note(time.monotonic() - due)
