"""A run in virtual time: each response takes one second, and the computing in between takes none.

So the length of a run is a whole number that depends on the order of its requests alone, and not on
the machine.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.contract import Contract
from conformance.engine.runner import run
from conformance.engine.selection import UNLIMITED, Options
from conformance.model import Exchange, Request, Target, Tier, TransportOptions
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.budget import is_free

KEY = "sk-virtual-time"
UNLIMITED_CONCURRENCY = 1_000
"""More requests than any run sends."""

QUIET_SECONDS = 0.05
"""Threads that use no CPU for so long are waiting for a response."""


@dataclass(frozen=True)
class SimulatedRun:
    """How many requests a run sent, and how many virtual seconds it took."""

    requests: int
    seconds: float

    def ratio(self, concurrency: int) -> float:
        """How many times the least time that so many requests can take."""
        return self.seconds / (self.requests / concurrency)


def simulated_run(contract: Contract, tier: Tier, *, concurrency: int | None) -> SimulatedRun:
    """Run a tier against the in-memory endpoint; without a concurrency no request waits.

    The length is that of the longest chain of requests then, each of which needs the response to
    the one before.
    """
    loop = _VirtualTimeLoop()
    endpoint = _OneSecondEndpoint(FakeEndpoint(contract))
    target = Target("fake:", MODEL, contract.name, api_key=KEY)
    batched = UNLIMITED_CONCURRENCY if concurrency is None else concurrency
    options = Options(tier=tier, limits=UNLIMITED, transport=TransportOptions(concurrency=batched))

    async def judge() -> None:
        async for _ in run(target, contract, options, transport=endpoint):
            pass

    try:
        loop.run_until_complete(judge())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    return SimulatedRun(endpoint.requests, endpoint.last_response)


class _OneSecondEndpoint:
    def __init__(self, endpoint: FakeEndpoint) -> None:
        self._endpoint = endpoint
        self.requests = 0
        self.last_response = 0.0

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:  # noqa: ARG002 - nothing is shared here
        if is_free(request):  # the list of models, which comes when all checks are done
            return await self._endpoint.send(request)
        self.requests += 1
        await asyncio.sleep(1)
        self.last_response = asyncio.get_running_loop().time()
        return await self._endpoint.send(request)


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock is put forward where only timers are left to wait for."""

    def __init__(self) -> None:
        self._now = 0.0
        self._in_threads: set[asyncio.Future[Any]] = set()
        super().__init__(_NoWaiting(self))

    def time(self) -> float:
        return self._now

    def put_forward(self, seconds: float) -> None:
        self._now += seconds

    @property
    def has_threads(self) -> bool:
        return bool(self._in_threads)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = super().run_in_executor(executor, func, *args)
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return future


class _NoWaiting(selectors.DefaultSelector):
    """Puts the clock forward instead of waiting.

    Some requests are drawn in threads. As long as these compute, no virtual time passes; a thread
    that waits for a response uses no CPU, by which it is told from one that computes.
    """

    def __init__(self, loop: _VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        while not ready and self._loop.has_threads:
            before = time.process_time()
            ready = super().select(QUIET_SECONDS)
            if time.process_time() - before < QUIET_SECONDS / 10:
                break
        if not ready:
            self._loop.put_forward(timeout)
        return ready
