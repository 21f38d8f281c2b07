"""A cache of deterministic responses, for a process that serves many variants of one server.

A response is the same to the last bit whenever it is not sampled at random, so it can be cached.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from reference_server.completions.schema import CompletionRequest
from reference_server.completions.service import NonStreamingResponse, Service, StreamPart

T = TypeVar("T")

MAX_RESPONSES = 20_000
"""The number of cached responses; some 100 MB if all of them are long."""


class ResponseCache:
    """A service in front of another, which computes only what is not cached."""

    def __init__(self, service: Service, kept: int = MAX_RESPONSES) -> None:
        self._service = service
        self._kept = kept
        self._responses: OrderedDict[CompletionRequest, NonStreamingResponse] = OrderedDict()
        self._streams: OrderedDict[CompletionRequest, tuple[StreamPart, ...]] = OrderedDict()

    def start(self) -> None:
        """See `Service.start`."""
        self._service.start()

    def stop(self) -> None:
        """See `Service.stop`."""
        self._service.stop()

    @property
    def fingerprint(self) -> str:
        """See `Service.fingerprint`."""
        return self._service.fingerprint

    @property
    def healthy(self) -> bool:
        """See `Service.healthy`."""
        return self._service.healthy

    async def respond(self, request: CompletionRequest) -> NonStreamingResponse:
        """See `Service.respond`."""
        if (known := self._responses.get(request)) is not None:
            return known
        response = await self._service.respond(request)
        self._keep(self._responses, request, response)
        return response

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPart, None]:
        """See `Service.stream`; a cached stream has no pauses."""
        if (known := self._streams.get(request)) is not None:
            for part in known:
                yield part
            return
        parts = []
        async with aclosing(self._service.stream(request)) as made:
            async for part in made:
                parts.append(part)
                yield part
        self._keep(self._streams, request, tuple(parts))

    def _keep(
        self, where: OrderedDict[CompletionRequest, T], request: CompletionRequest, response: T
    ) -> None:
        if not _is_certain(request):
            return
        where[request] = response
        if len(where) > self._kept:
            where.popitem(last=False)


def _is_certain(request: CompletionRequest) -> bool:
    """Whether the response is deterministic."""
    return request.temperature == 0 or request.seed is not None
