"""Answers that need not be computed twice: for a process that is asked the same by many.

The same request has the same answer, to the last bit, wherever nothing is left to chance; so it may
as well be remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from reference_server.completions.schema import CompletionRequest
from reference_server.completions.service import NonStreamingResponse, Service, StreamPart

T = TypeVar("T")

KEPT = 20_000
"""Answers that are remembered; some 100 MB if all of them are long."""


class ResponseCache:
    """A service in front of a service, which is asked only what was not asked before."""

    def __init__(self, service: Service, kept: int = KEPT) -> None:
        self._service = service
        self._kept = kept
        self._responses: OrderedDict[CompletionRequest, NonStreamingResponse] = OrderedDict()
        self._streams: OrderedDict[CompletionRequest, tuple[StreamPart, ...]] = OrderedDict()

    def start(self) -> None:
        """As `Service.start`."""
        self._service.start()

    def stop(self) -> None:
        """As `Service.stop`."""
        self._service.stop()

    @property
    def fingerprint(self) -> str:
        """As `Service.fingerprint`."""
        return self._service.fingerprint

    @property
    def healthy(self) -> bool:
        """As `Service.healthy`."""
        return self._service.healthy

    async def respond(self, request: CompletionRequest) -> NonStreamingResponse:
        """As `Service.answer`."""
        if (known := self._responses.get(request)) is not None:
            return known
        response = await self._service.respond(request)
        self._keep(self._responses, request, response)
        return response

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPart, None]:
        """As `Service.stream`; what is remembered comes without a pause."""
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
    """Whether nothing of the answer is left to chance."""
    return request.temperature == 0 or request.seed is not None
