"""Keep requests apart in time: so many a second at most, retries included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class Pace:
    """Hands out turns, each at least ``1 / rate`` seconds after the one before it."""

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
