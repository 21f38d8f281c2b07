"""Limit the number of concurrent requests and of requests per second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.model import Exchange, Request
from conformance.transport.coalesce import Sender
from conformance.transport.priority import Priority, current_priority


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    priority: Priority
    turn: asyncio.Future[None]


class Slots:
    """The number of requests that may be in flight, which a run can change between two stages."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    @property
    def is_free(self) -> bool:
        """Whether another request may be sent."""
        return self.taken < self.count


class ConcurrencyLimiter:
    """A sender with at most as many requests in flight as there are slots.

    The others are queued by priority. Requests of the same rank are sent in order of arrival.
    """

    def __init__(self, send: Sender, slots: Slots) -> None:
        self._send = send
        self._slots = slots
        self._waiting: list[_Waiting] = []

    async def send(self, request: Request) -> Exchange:
        """Send when a slot is free."""
        await self._take_slot()
        try:
            return await self._send(request)
        finally:
            self._pass_slot_on()

    async def _take_slot(self) -> None:
        if self._slots.is_free:
            self._slots.taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(current_priority.get() or Priority(), turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Cancelled after the slot was assigned and before it was used.
            if not turn.cancelled():
                self._pass_slot_on()
            raise

    def _pass_slot_on(self) -> None:
        self._waiting = [waiting for waiting in self._waiting if not waiting.turn.done()]
        if not self._waiting:
            self._slots.taken -= 1
            return
        # `min` returns the first of equals, which has waited longest.
        first = min(self._waiting, key=lambda waiting: waiting.priority.rank)
        first.turn.set_result(None)


MAX_GAP_SECONDS = 3600.0
"""Maximum seconds between two requests, also for a rate that is almost zero."""


class RateLimiter:
    """Delays requests so that they are at least ``1 / rate`` seconds apart; None is no limit.

    They are at most :data:`MAX_GAP_SECONDS` apart.
    """

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        # Divided the other way round, 1 / 5e-324 would overflow.
        self._gap = 1 / max(rate, 1 / MAX_GAP_SECONDS) if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the caller may send; callers are served in order."""
        if not self._gap:
            return
        now = self._clock()
        mine = max(now, self._next)
        # The slot is taken before the wait, so that no other caller waits for the same one.
        self._next = mine + self._gap
        if mine > now:
            await self._sleep(mine - now)
