"""Hold requests until all of them can begin at once.

A client sends one request after the other, and a quick server has answered the first before the
last arrives. So the last byte of each request is held back until every request has got that far:
then a server gets all of them within a few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

MAX_WAIT_SECONDS = 1.0
"""How long a request waits for the others, some of which may not be sent after all."""

GAP_SECONDS = 0.0003
"""Between two requests, so that they arrive in order."""


class StartingLine:
    """Where ``count`` requests wait for each other, once.

    Args:
        count: the requests that are sent; whoever comes later does not wait.
    """

    def __init__(self, count: int) -> None:
        self._missing = count
        self._begun = 0
        self._go = asyncio.Event()

    def held(self, body: bytes) -> AsyncIterator[bytes]:
        """Return a body whose last byte comes only when all requests have got that far.

        They go on in the order in which they asked for this.
        """
        self._begun += 1
        return self._parts(body, self._begun * GAP_SECONDS)

    async def _parts(self, body: bytes, gap: float) -> AsyncIterator[bytes]:
        yield body[:-1]
        self._missing -= 1
        if self._missing <= 0:
            self._go.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._go.wait(), MAX_WAIT_SECONDS)
        self._go.set()
        await asyncio.sleep(gap)
        yield body[-1:]


current_line: ContextVar[StartingLine | None] = ContextVar("current_line", default=None)
"""Where the requests of the current task wait; None if they do not."""


@contextmanager
def at_once(count: int) -> Iterator[None]:
    """Let ``count`` requests begin at once that are sent in a block, also by its tasks."""
    before = current_line.set(StartingLine(count) if count > 1 else None)
    try:
        yield
    finally:
        current_line.reset(before)
