"""A request among those that are in flight beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from reference_server.behaviour.messages import (
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)

GATHERING_SECONDS = 0.01
"""How long a request waits for others to join its batch."""


@dataclass(eq=False)
class Visit:
    """A request in flight, and those that are or were in flight beside it, in order of arrival."""

    body: Body
    beside: list[Visit] = field(default_factory=list)
    before: Visit | None = None


class Crowd:
    """Answers each request in view of those that are in flight beside it."""

    def __init__(self) -> None:
        self._present: list[Visit] = []

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Note the request among those in flight, and answer it when others may have joined."""
        visit = Visit(request.body, list(self._present))
        visit.before = self._present[-1] if self._present else None
        for other in self._present:
            other.beside.append(visit)
        self._present.append(visit)
        try:
            right = await upstream(request)
            # A response from a cache takes no time; in a batch, others join meanwhile.
            await asyncio.sleep(GATHERING_SECONDS)
            # What the server rejects is in no batch.
            if right.status != 200 or not visit.beside:
                return right
            return await self.answer(request, visit, right, upstream)
        finally:
            self._present.remove(visit)

    async def answer(
        self, request: ClientRequest, visit: Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        """Return the response to a request with others beside it; ``right`` is the right one."""
        raise NotImplementedError


class Changing(Crowd):
    """Serves another request instead, which has something of a neighbour."""

    async def answer(
        self, request: ClientRequest, visit: Visit, right: ServerResponse, upstream: Upstream
    ) -> ServerResponse:
        """Return the response to the changed request."""
        body = self.changed(visit, [one.body for one in visit.beside])
        if body == visit.body:
            return right
        changed = await upstream(request.with_body(body))
        # Of a neighbour that the server rejects, nothing is in the batch.
        return changed if changed.status == 200 else right

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:
        """Return the request that is served."""
        raise NotImplementedError


def is_greedy(body: Body) -> bool:
    """Return whether a request is greedy."""
    return body.get("temperature") == 0
