"""The usual behaviour: change the request, the response, or both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reference_server.behaviour.messages import (
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)


@dataclass(frozen=True)
class Rewrite:
    """The functions that change requests and responses; whatever is None passes unchanged.

    Every function returns a replacement for its argument, which it must not change, and may raise
    :class:`Rejected` instead. Its first argument is the client's own request.

    Attributes:
        request: the JSON of the request, before the server sees it.
        non_streaming: ``(request, response)`` of a non-streaming response with status 200.
        chunks: ``(request, chunks)`` of a stream, all of them; ``[DONE]`` is appended.
        refusal: ``(request, envelope)`` of a response with an error status.
        raw: any finished response, after all other functions.
    """

    request: Callable[[Body], Body] | None = None
    non_streaming: Callable[[Body, Body], Body] | None = None
    chunks: Callable[[Body, list[Body]], list[Body]] | None = None
    refusal: Callable[[Body, Body], Body] | None = None
    raw: Callable[[ClientRequest, ServerResponse], ServerResponse] | None = None

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Respond to one request."""
        try:
            # The server rejects a body that is not a JSON object.
            sent = (
                request.with_body(self.request(dict(request.body)))
                if self.request and request.body
                else request
            )
            response = self._rewritten(request.body, await upstream(sent))
        except Rejected as rejected:
            response = rejected.response
        return self.raw(request, response) if self.raw else response

    def _rewritten(self, request: Body, response: ServerResponse) -> ServerResponse:
        if response.status >= 400:
            return (
                response.with_body(self.refusal(request, response.body))
                if self.refusal
                else response
            )
        if response.is_stream:
            return (
                response.with_chunks(self.chunks(request, response.chunks))
                if self.chunks
                else response
            )
        return (
            response.with_body(self.non_streaming(request, response.body))
            if self.non_streaming
            else response
        )
