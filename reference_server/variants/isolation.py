"""What a busy server may do to a greedy response: only where two tokens are nearly as probable."""

from __future__ import annotations

import asyncio
import random

from reference_server.behaviour.messages import (
    Behaviour,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import variant
from reference_server.variants.near_ties import Flipping

GATHERING_SECONDS = 0.01
"""How long a request waits for others to join its batch."""


class _FlippingTogether:
    """Takes the other token of a near-tie if another request is in flight; alone, the best one."""

    def __init__(self) -> None:
        self._flipping = Flipping(1.0).behaviour
        self._present = 0

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        self._present += 1
        try:
            await asyncio.sleep(GATHERING_SECONDS)
            if self._present > 1:
                return await self._flipping(request, upstream)
            return await upstream(request)
        finally:
            self._present -= 1


@variant("near-ties-in-batches", may_be_inconclusive=True)
def near_ties_in_batches() -> Behaviour:
    """Beside other requests, every near-tie of a greedy choice is decided otherwise than alone."""
    return _FlippingTogether()


class _FlippingWhenCached:
    """Takes the other token of a near-tie when a prompt comes again, as from a warm cache."""

    def __init__(self) -> None:
        self._flipping = Flipping(1.0).behaviour
        self._known: set[str] = set()

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        prompt = str(request.body.get("prompt"))
        if prompt in self._known:
            return await self._flipping(request, upstream)
        self._known.add(prompt)
        return await upstream(request)


@variant("near-ties-when-cached", may_be_inconclusive=True)
def near_ties_when_cached() -> Behaviour:
    """A prompt that was served before has its near-ties decided otherwise than the first time."""
    return _FlippingWhenCached()


class _Shuffled:
    """Begins each request after a moment of its own."""

    def __init__(self) -> None:
        self._chance = random.Random(4)  # noqa: S311 - randomness that can be repeated

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        await asyncio.sleep(self._chance.uniform(0, GATHERING_SECONDS))
        return await upstream(request)


@variant("uneven-arrivals")
def uneven_arrivals() -> Behaviour:
    """Requests that arrive at once are begun in any order."""
    return _Shuffled()
