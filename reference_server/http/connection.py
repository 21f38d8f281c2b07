"""One connection of a client, below HTTP: malformed requests, slow ones and expensive ones."""

import asyncio
from collections.abc import Callable

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from reference_server.behaviour.messages import BEHIND, DROP, IDLE
from reference_server.completions import errors, strict_json
from reference_server.http.parser import Parser

HEAD_SECONDS = 30.0
"""Seconds from connecting, or from the first byte of a further request, until the request's headers
are complete."""
REST_SECONDS = 10.0
"""Seconds after a response in which the rest of its request's body must arrive."""
SEND_SECONDS = 30.0
"""Seconds in which a client has to read something of a response that does not fit its buffers."""
LINGER_SECONDS = 1.0
"""Seconds in which a client can read the error of a malformed request."""
SLICE_BYTES = 16_384
"""Bytes that are parsed at once; they bound the headers of one request, too."""
EVENTS_PER_TURN = 128
"""HTTP events of one connection that are handled before other connections get their turn."""


class Connection(H11Protocol):
    """Uvicorn's connection, with bounds on the time and the memory that a client can cost.

    Uvicorn's responds in plain text, waits for headers without a limit and handles whatever has
    arrived at once. This one sends the error envelope for malformed HTTP, as for all other errors,
    closes the connection of a client that is too slow, and handles a few events a turn.
    """

    conn: Parser
    flow: "_Flow"
    _head_timer: asyncio.TimerHandle | None = None
    _end_timer: asyncio.TimerHandle | None = None
    _next_turn: asyncio.Handle | None = None
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._inbox = bytearray()
        self.conn = Parser()
        self.flow = _Flow(transport, self._schedule)
        self.app_state = {**self.app_state, DROP: transport.close}
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Read bytes, which may complete the headers or begin those of the next request."""
        if self._is_refused:  # until the client has read why
            return
        self._unset_keepalive_if_required()
        self._inbox += data
        self._turn()

    def _turn(self) -> None:
        """Handle a part of what was received, and leave the rest to the loop's next turn."""
        self._next_turn = None
        if self._is_refused or self.transport.is_closing():
            return
        self.conn.budget = EVENTS_PER_TURN
        self.handle_events()  # those that the last turn left
        while self._inbox and self.conn.budget > 0 and not self.flow.read_paused:
            self.conn.receive_data(bytes(self._inbox[:SLICE_BYTES]))
            del self._inbox[:SLICE_BYTES]
            self.handle_events()
        if self._is_refused or self.transport.is_closing():
            return
        if self.conn.budget <= 0 or (self._inbox and not self.flow.read_paused):
            self._schedule()
        self.flow.hold(bool(self._inbox))
        if self.conn.their_state is not h11.IDLE:
            self._stop_expecting()
        elif self._inbox or self.conn.trailing_data[0]:
            self._expect_head()

    def _schedule(self) -> None:
        if self._next_turn is None:
            self._next_turn = self.loop.call_soon(self._turn)

    def on_response_complete(self) -> None:
        """A response was sent; its request may still be arriving."""
        if behind := self.scope["state"].pop(BEHIND, b""):
            self.transport.write(behind)
        if idle := self.scope["state"].pop(IDLE, None):
            self.timeout_keep_alive = idle
        self.conn.budget = EVENTS_PER_TURN
        super().on_response_complete()
        self._schedule()
        if self.conn.their_state is h11.SEND_BODY:
            self._close_after(REST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by either side."""
        self._stop_expecting()
        for handle in (self._end_timer, self._next_turn):
            if handle is not None:
                handle.cancel()
        self._inbox.clear()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Send an error for malformed HTTP, unless a response has begun; close the connection."""
        self._is_refused = True
        self._inbox.clear()
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None
        self._stop_expecting()
        if self.cycle is not None:  # cancels the request that is running
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        error = self.conn.refusal or errors.bad_request(msg)
        body = strict_json.encode(error.envelope()).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(
                status_code=error.status, headers=headers, reason=STATUS_PHRASES[error.status]
            ),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        # Closing with unread bytes resets the connection, which can destroy the response on its
        # way (RFC 9112, 9.6). So only our side ends, and what still arrives is read and dropped.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.hold(False)
        self.flow.resume_reading()
        self._close_after(LINGER_SECONDS)

    def _close_after(self, seconds: float) -> None:
        if self._end_timer is None:
            self._end_timer = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        """Close the connection, unless its client has come to its next request."""
        self._end_timer = None
        is_next = self.cycle is not None and not self.cycle.response_complete
        if self._is_refused or (self.conn.their_state is h11.SEND_BODY and not is_next):
            self.transport.close()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_expecting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _Flow(FlowControl):
    """Whether the transport reads: only if neither uvicorn nor the connection wants a pause."""

    def __init__(self, transport: asyncio.Transport, on_resume: Callable[[], None]) -> None:
        super().__init__(transport)
        self._on_resume = on_resume
        self._held = False

    def hold(self, held: bool) -> None:
        """Pause because received bytes are still to be handled, or end that pause."""
        self._held = held
        if held:
            self._transport.pause_reading()
        elif not self.read_paused:
            self._transport.resume_reading()

    def resume_reading(self) -> None:
        """End uvicorn's pause."""
        if self.read_paused:
            self.read_paused = False
            if not self._held:
                self._transport.resume_reading()
            self._on_resume()

    async def drain(self) -> None:
        """Wait until the client has read enough; give it up if it reads nothing."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await super().drain()
        except TimeoutError:
            self._transport.abort()
            await asyncio.sleep(0)  # the connection is lost in the loop's next turn
