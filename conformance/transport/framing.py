"""Where the responses on one connection end, and what a server sends behind one.

A client that keeps the connection would take such bytes for the response to its next request
(RFC 9112, 6.3: it "MUST NOT process, cache, or forward such extra data as a separate response").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h11
import httpcore

SURPLUS_LIMIT = 2_000
"""Bytes kept of what came behind a response."""

INTERIM_LIMIT = 32
"""Interim responses (1xx) to one request; servers send one or two."""

HTTP = b"HTTP/"
"""The first bytes of every response."""

HEAD_LIMIT = 102_400
"""Bytes of a response's headers; as in httpcore, which rejects longer ones."""

SETTLE_SECONDS = 0.1
"""Seconds to read bytes that the operating system already has."""


class ResponseEnd:
    """Follows one response; told every byte that arrives on its connection.

    Attributes:
        has_ended: whether the response is complete.
        surplus: the beginning of what came behind it.
    """

    def __init__(self, method: bytes) -> None:
        self.has_ended = False
        self.surplus = b""
        self._start = b""
        self._interim = 0
        self._parser: h11.Connection | None = h11.Connection(h11.CLIENT, HEAD_LIMIT)
        # What was asked decides how a response ends only by the method.
        self._parser.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        self._parser.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> None:
        """Take bytes; empty at the end of the connection.

        Raises:
            httpcore.RemoteProtocolError: it is no HTTP, which h11 sees only at the end of a line or
                of the connection; or there are too many interim responses.
        """
        if len(self._start) < len(HTTP):
            self._start += data[: len(HTTP) - len(self._start)]
            if not HTTP.startswith(self._start):
                raise httpcore.RemoteProtocolError("it does not begin with HTTP/")
        if self.has_ended:
            self.surplus = (self.surplus + data)[:SURPLUS_LIMIT]
        elif self._parser is not None:
            try:
                self._parser.receive_data(data)
                self._follow(self._parser)
            except h11.RemoteProtocolError:
                self._parser = None  # httpcore, which reads the same bytes, reports it

    def _follow(self, parser: h11.Connection) -> None:
        while not self.has_ended:
            event = parser.next_event()
            if isinstance(event, h11.InformationalResponse):
                self._interim += 1
                if self._interim > INTERIM_LIMIT:
                    raise httpcore.RemoteProtocolError(
                        f"more than {INTERIM_LIMIT} interim responses"
                    )
            elif isinstance(event, h11.EndOfMessage):
                self.has_ended = True
                self.surplus = bytes(parser.trailing_data[0][:SURPLUS_LIMIT])
            elif not isinstance(event, h11.Response | h11.Data):
                return  # more is needed, or the connection has ended


class StaleConnectionError(httpcore.ReadError):
    """A request met a connection that the server had closed because it was idle."""


@dataclass(slots=True)
class Trust:
    """Whether connections are kept; shared by all connections to an endpoint."""

    keeps: bool = True


class WatchedStream(httpcore.AsyncNetworkStream):
    """A network stream that knows where the current response ends."""

    def __init__(
        self, inner: httpcore.AsyncNetworkStream, trust: Trust, *, is_tls: bool = False
    ) -> None:
        self._inner = inner
        self._trust = trust
        self._is_tls = is_tls
        self._end: ResponseEnd | None = None
        self._is_new = self._begins = True
        self._is_spent = self._is_used = self._is_silent = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as the base class
        """Read some bytes; empty at the end.

        Raises:
            StaleConnectionError: the server has closed the idle connection, as the request came.
        """
        try:
            data = await self._inner.read(max_bytes, timeout)
        except httpcore.ReadError as error:
            self._assert_in_use(error)
            raise
        if not data:
            self._assert_in_use(None)
        self._is_silent = False
        if self._end is not None:
            self._end.feed(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as the base class
        """Write bytes, which begin a request or continue one.

        Raises:
            httpcore.RemoteProtocolError: the server has sent something before any request.
            httpcore.ConnectionNotAvailable: it has closed the idle connection, so that the request
                needs another one; nothing of it was written.
        """
        if self._is_new:
            self._is_new = False
            if early := await self._waiting():
                raise httpcore.RemoteProtocolError(
                    f"it sent {len(early)} bytes before it got a request"
                )
        if self._begins:  # and is not the rest of a request that got its response early
            self._begins = False
            if self._is_used and self._inner.get_extra_info("is_readable"):
                self._trust.keeps = False
                raise httpcore.ConnectionNotAvailable
            self._is_silent = True
            method = bytes(buffer[:16]).partition(b" ")[0]
            self._end = None if method == b"CONNECT" else ResponseEnd(method)
        await self._inner.write(buffer, timeout)

    async def settle(self) -> bytes:
        """Return what came behind the response that was just read; empty if nothing did.

        Blank lines are harmless, but the connection is not used again either.
        """
        self._begins = self._is_used = True
        if self._end is None or not self._end.has_ended:
            return b""
        self._end.feed(await self._waiting())
        surplus = self._end.surplus
        self._is_spent |= bool(surplus)
        if not surplus.strip(b"\r\n"):
            return b""
        self._trust.keeps = False
        return surplus

    def _assert_in_use(self, error: Exception | None) -> None:
        """Raise an error that says so if the connection ended while it was idle.

        No more connections are kept then: this could happen to the next request on each of them.
        """
        if self._is_used and self._is_silent:
            self._trust.keeps = False
            raise StaleConnectionError("it was closed while it was idle") from error

    async def _waiting(self) -> bytes:
        """Read what has arrived and nobody has asked for.

        Beneath TLS, readable bytes are usually session tickets.
        """
        if self._is_tls or not self._inner.get_extra_info("is_readable"):
            return b""
        try:
            data = await self._inner.read(65_536, SETTLE_SECONDS)
        except (httpcore.NetworkError, httpcore.TimeoutException):
            data = b""
        self._is_spent |= not data
        return data

    async def aclose(self) -> None:
        """Close the stream."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as the base class
    ) -> httpcore.AsyncNetworkStream:
        """Return the stream inside TLS."""
        inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        return WatchedStream(inner, self._trust, is_tls=True)

    def get_extra_info(self, info: str) -> Any:
        """Return a fact; httpcore discards an idle connection that ``is_readable``."""
        if info == "is_readable" and (self._is_spent or not self._trust.keeps):
            return True
        return self._inner.get_extra_info(info)


class WatchedNetwork(httpcore.AsyncNetworkBackend):
    """Opens watched streams."""

    def __init__(self, trust: Trust) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._trust = trust

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the base class
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection."""
        inner = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return WatchedStream(inner, self._trust)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
