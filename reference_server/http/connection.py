"""One connection of a client, below HTTP: malformed requests and slow ones."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from reference_server.completions import errors, strict_json

HEAD_SECONDS = 30.0
"""Seconds from connecting, or from the first byte of a further request, until the request's headers
are complete."""


class Connection(H11Protocol):
    """Uvicorn's connection, which responds in plain text and waits for headers without a limit.

    This one sends the error envelope for malformed HTTP, as for all other errors, and closes the
    connection if a request's headers take too long.
    """

    _idle_timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Read bytes, which may complete the headers or begin those of the next request."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by either side."""
        self._stop_expecting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Send an error for malformed HTTP, unless a response has begun; close the connection."""
        if self.cycle is not None:  # cancels the request that is running
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = strict_json.encode(errors.bad_request(msg).envelope()).encode()
            headers = [
                *self.server_state.default_headers,
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _expect_head(self) -> None:
        if self._idle_timeout is None:
            self._idle_timeout = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_expecting(self) -> None:
        if self._idle_timeout is not None:
            self._idle_timeout.cancel()
            self._idle_timeout = None
