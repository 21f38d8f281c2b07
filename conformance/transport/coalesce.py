"""Send identical requests once, because requests cost money.

Checks that send the same request share its response, also while it is in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context

from conformance.model import Exchange, Request
from conformance.transport.priority import Priority, current_priority

Sender = Callable[[Request], Awaitable[Exchange]]


class RequestCoalescer:
    """A transport that calls a sender once for all equal requests.

    An exception of the sender is raised for all waiting callers and is not cached, so that a later
    request is sent again.

    Args:
        send: sends a request.
        on_exchange: called once per exchange, before any caller gets it.
    """

    def __init__(
        self, send: Sender, on_exchange: Callable[[Exchange], None] = lambda _: None
    ) -> None:
        self._send = send
        self._on_exchange = on_exchange
        self._sent: dict[Request, tuple[asyncio.Task[Exchange], Priority]] = {}
        self._under_way: set[asyncio.Task[Exchange]] = set()

    async def send(self, request: Request, *, fresh: bool = False, rank: int = 0) -> Exchange:
        """Send a request, or return the exchange of an equal one.

        Args:
            request: the request.
            fresh: send it in any case; its exchange is not shared.
            rank: its priority in the queue; the lowest is sent first.
        """
        shared = None if fresh else self._sent.get(request)
        if shared is None:
            shared = self._begin(request, fresh, Priority(rank))
        task, priority = shared
        priority.rank = min(priority.rank, rank)
        # A cancelled check must not cancel the request of the others.
        return await asyncio.shield(task)

    def ranked(self, rank: int) -> RankedTransport:
        """Return a view of this transport that sends with a rank."""
        return RankedTransport(self, rank)

    async def close(self) -> None:
        """Cancel all requests in flight."""
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
        # A fresh response is an independent sample and is never shared.
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
    """A view of a :class:`RequestCoalescer` that sends with a fixed rank."""

    def __init__(self, coalescer: RequestCoalescer, rank: int) -> None:
        self._coalescer = coalescer
        self._rank = rank

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Send one request; identical ones share one exchange unless ``fresh`` is true."""
        return await self._coalescer.send(request, fresh=fresh, rank=self._rank)
