"""How many requests there are at a time, and how many a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.model import Exchange, Request
from conformance.wire.sharing import Sender


class Slots:
    """A sender with at most so many requests in flight; the others wait in line."""

    def __init__(self, send: Sender, count: int) -> None:
        self._send = send
        self._slots = asyncio.Semaphore(count)

    async def send(self, request: Request) -> Exchange:
        """Send when a slot is free."""
        async with self._slots:
            return await self._send(request)


class Pace:
    """Hands out turns, each at least ``1 / rate`` seconds after the one before; retries too."""

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    async def turn(self) -> None:
        """Return when it is this caller's turn to send; callers are served in order."""
        if not self._gap:
            return
        now = self._clock()
        mine = max(now, self._next)
        # The slot is taken before waiting for it, so that nobody else waits for the same one.
        self._next = mine + self._gap
        if mine > now:
            await self._sleep(mine - now)
