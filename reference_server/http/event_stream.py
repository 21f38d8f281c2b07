"""A streamed answer: server-sent events over HTTP, as long as there is somebody to send them to.

A stream that breaks off never ends with ``[DONE]``: where there is still a way to say so, its last
event is the error instead.
"""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import aclosing
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reference_server.completions import envelope, errors, strict_json
from reference_server.completions.envelope import Envelope
from reference_server.completions.errors import ApiError
from reference_server.completions.schema import CompletionRequest
from reference_server.completions.service import StreamPart
from reference_server.http.disconnect import unless_gone

DONE = "data: [DONE]\n\n"


class EventStream(Response):
    """The response to a request with ``stream``; closes the parts it is given, come what may."""

    media_type = "text/event-stream"

    def __init__(
        self,
        head: Envelope,
        request: CompletionRequest,
        first: StreamPart,
        rest: AsyncGenerator[StreamPart, None],
        facts: MutableMapping[str, object],
    ) -> None:
        """``facts`` are told what a request's log line should know of the stream."""
        self.status_code = 200
        self.background = None
        # A proxy that gathers the events or keeps them would undo the streaming.
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._head = head
        self._request = request
        self._first = first
        self._rest = rest
        self._facts = facts

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the events. If the client leaves, nothing more is generated for it."""
        async with aclosing(self._rest):
            try:
                await unless_gone(self._send(send), receive)
            except ClientDisconnect:
                self._facts["left"] = True
            except asyncio.CancelledError:  # the server is told to end and will not wait longer
                await _send_body(send, _event(errors.shutting_down().envelope()), more=False)

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        try:
            await _send_body(send, self._chunks(self._first))
            async for part in self._rest:
                if part.usage:
                    self._facts.update(part.usage)
                await _send_body(send, self._chunks(part))
            last = DONE
        except ApiError as error:  # too late for a status of its own
            last = _event(error.envelope())
        await _send_body(send, last, more=False)

    def _chunks(self, part: StreamPart) -> str:
        request, events = self._request, []
        for index, text_chunk in part.chunks:
            entries = None if request.logprobs is None else text_chunk.entries
            choice = envelope.choice(index, text_chunk.text, entries, text_chunk.finish)
            chunk = self._head.around([choice])
            if request.include_usage:
                chunk["usage"] = None
            events.append(_event(chunk))
        if part.usage and request.include_usage:
            events.append(_event(self._head.around([]) | {"usage": part.usage}))
        return "".join(events)


def _event(value: dict[str, Any]) -> str:
    return f"data: {strict_json.encode(value)}\n\n"


async def _send_body(send: Send, text: str, *, more: bool = True) -> None:
    if text or not more:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": more})
