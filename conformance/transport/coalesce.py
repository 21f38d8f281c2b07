"""Send identical requests once: money is the user's.

Two checks that ask the same question read the same answer, also while it is still on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context

from conformance.model import Exchange, Request
from conformance.transport.priority import Priority, current_priority

Sender = Callable[[Request], Awaitable[Exchange]]


class RequestCoalescer:
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
        self._sent: dict[Request, tuple[asyncio.Task[Exchange], Priority]] = {}
        self._under_way: set[asyncio.Task[Exchange]] = set()

    async def send(self, request: Request, *, fresh: bool = False, rank: int = 0) -> Exchange:
        """Return the answer to an equal request if there is one, unless ``fresh`` is asked for.

        The lower the rank, the earlier a request is sent, if several have to wait.
        """
        shared = None if fresh else self._sent.get(request)
        if shared is None:
            shared = self._begin(request, fresh, Priority(rank))
        task, priority = shared
        priority.rank = min(priority.rank, rank)
        # One check that is cancelled must not take the answer away from the others.
        return await asyncio.shield(task)

    def ranked(self, rank: int) -> RankedTransport:
        """Return a view of this transport that sends with a rank."""
        return RankedTransport(self, rank)

    async def close(self) -> None:
        """Give up whatever is still on its way."""
        waiting = tuple(self._under_way)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _begin(
        self, request: Request, fresh: bool, priority: Priority
    ) -> tuple[asyncio.Task[Exchange], Priority]:
        context = copy_context()
        context.run(current_priority.set, priority)
        task = asyncio.create_task(self._fetch(request, fresh), context=context)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # A fresh answer is a sample of its own and never stands in for the shared one.
        if not fresh:
            self._sent[request] = (task, priority)
        return task, priority

    async def _fetch(self, request: Request, fresh: bool) -> Exchange:
        try:
            exchange = await self._send(request)
        except BaseException:
            if not fresh:
                self._sent.pop(request, None)
            raise
        self._on_exchange(exchange)
        return exchange


class RankedTransport:
    """The requests of one check, as urgent as it is."""

    def __init__(self, coalescer: RequestCoalescer, rank: int) -> None:
        self._sharing = coalescer
        self._rank = rank

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Send one request; identical ones share one exchange unless ``fresh`` is asked for."""
        return await self._sharing.send(request, fresh=fresh, rank=self._rank)
