"""Send identical requests once: money is the user's.

Two checks that ask the same question read the same answer, also while it is still on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.model import Exchange, Request

Sender = Callable[[Request], Awaitable[Exchange]]


class Sharing:
    """A transport over a plain sender, which it calls once for all equal requests.

    What a sender raises (a spent budget) goes to everyone who waits and is not remembered: the
    next to ask may have more luck. ``on_exchange`` hears of each exchange once, before any check
    reads it.
    """

    def __init__(
        self, send: Sender, on_exchange: Callable[[Exchange], None] = lambda _: None
    ) -> None:
        self._send = send
        self._on_exchange = on_exchange
        self._asked: dict[Request, asyncio.Task[Exchange]] = {}
        self._under_way: set[asyncio.Task[Exchange]] = set()

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Return the answer to an equal request if there is one, unless ``fresh`` is asked for."""
        task = None if fresh else self._asked.get(request)
        if task is None:
            task = asyncio.create_task(self._fetch(request, fresh))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            # A fresh answer is a sample of its own and never stands in for the shared one.
            if not fresh:
                self._asked[request] = task
        # One check that is cancelled must not take the answer away from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up whatever is still on its way."""
        waiting = tuple(self._under_way)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _fetch(self, request: Request, fresh: bool) -> Exchange:
        try:
            exchange = await self._send(request)
        except BaseException:
            if not fresh:
                self._asked.pop(request, None)
            raise
        self._on_exchange(exchange)
        return exchange
