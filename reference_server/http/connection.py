"""One connection of a client, below HTTP: what is no HTTP, or never becomes a request."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from reference_server.completions import errors, strict_json

HEAD_SECONDS = 30.0
"""How long a client may take from connecting, or from the first byte of a further request, until
the request's headers are complete."""


class Connection(H11Protocol):
    """Uvicorn's connection, which answers in plain text and waits for headers without end.

    This one answers what cannot be read as HTTP with the error envelope, as everything else, and
    hangs up on a client that does not get as far as a request.
    """

    _idle_timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        """A client is there; its first request should follow."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Some bytes came, which may complete the headers or begin those of a further request."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_head()
        else:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left, or was left."""
        self._stop_expecting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless an answer is under way already, and hang up."""
        if self.cycle is not None:  # what still runs for this client has nobody to tell
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
