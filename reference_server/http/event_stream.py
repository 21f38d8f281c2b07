"""A streamed response: server-sent events, for as long as the client stays connected.

An incomplete stream never ends with ``[DONE]``: its last event is the error, if it can be sent.
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
from reference_server.completions.extensions import of_choice
from reference_server.completions.schema import CompletionRequest
from reference_server.completions.service import StreamPart
from reference_server.http.balance import Bill
from reference_server.http.disconnect import unless_disconnected

DONE = "data: [DONE]\n\n"


class EventStream(Response):
    """The response to a request with ``stream``; always closes the parts it is given."""

    media_type = "text/event-stream"

    def __init__(
        self,
        head: Envelope,
        request: CompletionRequest,
        first: StreamPart,
        rest: AsyncGenerator[StreamPart, None],
        facts: MutableMapping[str, object],
        *,
        bill: Bill,
        usage_with_last_choice: bool = False,
    ) -> None:
        """``facts`` receives what the request's log line reports; ``bill`` counts what is sent.

        ``usage_with_last_choice`` puts the usage on the last chunk, also where none is requested.
        """
        self.status_code = 200
        self.background = None
        # A proxy that buffers or caches the events would defeat streaming.
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._head = head
        self._request = request
        self._first = first
        self._rest = rest
        self._facts = facts
        self._bill = bill
        self._with_last = usage_with_last_choice
        self._held: dict[str, Any] | None = None

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the events. If the client disconnects, generation for it ends."""
        async with aclosing(self._rest):
            try:
                await unless_disconnected(self._send(send), receive)
            except ClientDisconnect:
                self._facts["left"] = True
                self._bill.settle(None)
            except asyncio.CancelledError:  # shutdown, after the grace period
                await _send_body(send, _event(errors.shutting_down().envelope()), more=False)

    async def _send(self, send: Send) -> None:
        usage: dict[str, int] | None = None
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        try:
            self._bill.add(self._first)
            await _send_body(send, self._chunks(self._first))
            async for part in self._rest:
                self._bill.add(part)
                if part.usage:
                    self._facts.update(part.usage)
                    usage = part.usage
                await _send_body(send, self._chunks(part))
            last = DONE
        except ApiError as error:  # too late for an error status
            last = _event(error.envelope())
        await _send_body(send, last, more=False)
        if usage is not None:
            self._bill.settle(usage)

    def _chunks(self, part: StreamPart) -> str:
        request, events = self._request, []
        extensions = request.extensions
        for place, (index, text_chunk) in enumerate(part.chunks):
            entries = None if request.logprobs is None else text_chunk.entries
            choice = envelope.choice(index, text_chunk.text, entries, text_chunk.finish)
            extra = of_choice(extensions, [text_chunk], part.prompts[place], str, stream=True)
            chunk = self._head.chunk([choice | extra])
            if request.include_usage:
                chunk["usage"] = part.so_far[place] if extensions.continuous_usage else None
            events += self._released()
            if self._with_last and text_chunk.finish:
                self._held = chunk
            else:
                events.append(_event(chunk))
        if part.usage and self._held is not None:
            self._held["usage"] = part.usage
            events += self._released()
        elif part.usage and request.include_usage:
            events.append(_event(self._head.chunk([]) | {"usage": part.usage}))
        return "".join(events)

    def _released(self) -> list[str]:
        """The end of a choice that was held back, since the last one carries the usage."""
        held, self._held = self._held, None
        return [] if held is None else [_event(held)]


def _event(value: dict[str, Any]) -> str:
    return f"data: {strict_json.encode(value)}\n\n"


async def _send_body(send: Send, text: str, *, more: bool = True) -> None:
    if text or not more:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": more})
