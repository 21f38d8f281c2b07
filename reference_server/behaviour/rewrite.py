"""The usual behaviour: the request is rewritten on its way in, the answer on its way out."""

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
    """What is rewritten; whatever is None passes untouched.

    Every function returns what goes on in place of what it was given, which it must not change, and
    may raise :class:`Rejected` instead. ``asked`` is always the client's own request.

    Attributes:
        ask: the request's JSON, before the server sees it.
        non_streaming: ``(asked, answer)`` of a plain answer with status 200.
        chunks: ``(asked, chunks)`` of a stream, all of them; ``[DONE]`` follows by itself.
        refusal: ``(asked, envelope)`` of an answer with an error status.
        raw: the finished answer, last of all, whatever it is.
    """

    ask: Callable[[Body], Body] | None = None
    non_streaming: Callable[[Body, Body], Body] | None = None
    chunks: Callable[[Body, list[Body]], list[Body]] | None = None
    refusal: Callable[[Body, Body], Body] | None = None
    raw: Callable[[ClientRequest, ServerResponse], ServerResponse] | None = None

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Answer one request."""
        try:
            # A body that is no JSON object is the server's to refuse.
            sent = (
                request.with_body(self.ask(dict(request.body)))
                if self.ask and request.body
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
