"""Requests out of bytes, with limits on what they may cost; h11 does the parsing.

h11 (RFC 9112) bounds only what is incomplete, and leaves to its user what a request asks of HTTP
itself: its version, its framing and its expectation.
"""

from typing import TypeAlias

import h11

from reference_server.completions.errors import ApiError
from reference_server.completions.strict_json import MAX_BODY_BYTES

MAX_TARGET_BYTES = 8_192
"""Bytes of a request's target; RFC 9112 (3) recommends at least 8,000 for the request line."""
MAX_HEADER_LINES = 100
"""Header lines of a request."""
MAX_READ_BODY_BYTES = 8 * MAX_BODY_BYTES
"""Bytes of a body that are read at all. A client that is still sending a body above
`MAX_BODY_BYTES` would see a broken connection instead of the error."""
FREE_CHUNKS = 1_024
"""Chunks of a body that may have any size."""
MIN_CHUNK_BYTES = 256
"""Mean bytes of the chunks beyond these. A chunk costs as much time as many kilobytes."""
FREE_OVERHEAD_BYTES = 65_536
"""Bytes around the data of a body: chunk sizes, chunk extensions and trailers; as many bytes more
are accepted as there are data."""

Event: TypeAlias = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class Parser(h11.Connection):
    """The server's side of one connection, as h11 has it, but stricter.

    Attributes:
        budget: events that :meth:`next_event` still returns before it says ``NEED_DATA``; the
            owner sets it, handles other connections, and sets it again.
        refusal: the error of the request that made :meth:`next_event` raise.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER)
        self.budget = 0
        self.refusal: ApiError | None = None
        self._received = 0  # bytes since the head of the request
        self._data = 0  # bytes of its body
        self._chunks = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the network; empty at the end of the connection."""
        if self.their_state is h11.SEND_BODY:
            self._received += len(data)
        super().receive_data(data)

    def next_event(self) -> Event:
        """The next event.

        Raises h11.RemoteProtocolError and sets ``refusal`` if there is none and never will be.
        """
        if self.budget <= 0:
            return h11.NEED_DATA
        self.budget -= 1
        try:
            event: Event = super().next_event()
            if isinstance(event, h11.Request):
                self._received = self._data = self._chunks = 0
                _check_head(event)
            elif isinstance(event, h11.Data):
                self._check_body(event)
        except h11.RemoteProtocolError as error:
            self.refusal = self._described(error)
            raise
        return event

    def _check_body(self, event: h11.Data) -> None:
        self._data += len(event.data)
        self._chunks += event.chunk_start
        if self._data > MAX_READ_BODY_BYTES:
            raise _refused(413, "The request body is far over the limit.")
        if self._chunks > FREE_CHUNKS + self._data // MIN_CHUNK_BYTES:
            raise _refused(400, "The request body comes in too many tiny chunks.")
        if self._received - self._data > FREE_OVERHEAD_BYTES + self._data:
            raise _refused(400, "The request body has more chunk extensions than data.")

    def _described(self, error: h11.RemoteProtocolError) -> ApiError:
        """The error for the client: h11's own messages quote the client's bytes."""
        status = error.error_status_hint
        if isinstance(error, _RefusedError):
            return ApiError(status, str(error))
        if status == 431 and b"\n" not in self.trailing_data[0]:
            return ApiError(414, "The request line is too long.")
        if status == 431:
            return ApiError(431, "The request's headers are too large.")
        if status == 501:
            return ApiError(501, "The only Transfer-Encoding that is supported is chunked.")
        return ApiError(400, "Invalid HTTP request received.")


class _RefusedError(h11.RemoteProtocolError):
    """A request that h11 accepts and this server does not."""


def _refused(status: int, message: str) -> _RefusedError:
    return _RefusedError(message, error_status_hint=status)


def _check_head(request: h11.Request) -> None:
    """Check a request's line and headers.

    Raises _RefusedError with the status of RFC 9110 or RFC 9112.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        headers[name] = headers[name] + b"," + value if name in headers else value
    if not request.http_version.startswith(b"1."):  # RFC 9110, 15.6.6
        raise _refused(505, "This server speaks HTTP/1.1 and HTTP/1.0.")
    if len(request.target) > MAX_TARGET_BYTES:
        raise _refused(414, f"The address is over the limit of {MAX_TARGET_BYTES} bytes.")
    if len(request.headers) > MAX_HEADER_LINES:
        raise _refused(431, f"The request has more than {MAX_HEADER_LINES} header lines.")
    if b"transfer-encoding" in headers:
        # RFC 9112, 6.1: whoever sends both, or a coding to HTTP/1.0, may be smuggling a request.
        if b"content-length" in headers:
            raise _refused(400, "A request has Content-Length or Transfer-Encoding, not both.")
        if request.http_version == b"1.0":
            raise _refused(400, "HTTP/1.0 has no Transfer-Encoding.")
    elif int(headers.get(b"content-length", b"0")) > MAX_READ_BODY_BYTES:
        raise _refused(413, f"The request body is over the limit of {MAX_BODY_BYTES} bytes.")
    expected = {part.strip() for part in headers.get(b"expect", b"").lower().split(b",")}
    if expected - {b"", b"100-continue"} and request.http_version != b"1.0":  # RFC 9110, 10.1.1
        raise _refused(417, "The only expectation that is supported is 100-continue.")
