"""Requests and responses as a relay sees them: bytes with headers, parsed if they are JSON.

All of these are values; methods that change one return another.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

Body = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
"""Names in lower case, and values; without ``content-length``, which is added when sending."""

EVENT_STREAM = "text/event-stream"
BEHIND = "bytes-behind-response"
"""The name in a scope's ``state`` of bytes to send right behind the response (by a fault)."""
IDLE = "idle-seconds"
"""The name in a scope's ``state`` of the seconds after which the idle connection is closed."""
DROP = "drop-connection"
"""The name in a scope's ``state`` of a function that closes the connection (for a fault)."""
DONE = "[DONE]"


@dataclass(frozen=True)
class ClientRequest:
    """One request to ``POST /v1/completions``, as it arrived."""

    raw: bytes
    headers: Headers
    server_key: str
    """The key that the server accepts, with which a relay sends its own requests."""

    @cached_property
    def body(self) -> Body:
        """The request's JSON; empty if it is not a JSON object. Do not change it in place."""
        try:
            body = json.loads(self.raw)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def key(self) -> str | None:
        """The key that the client sent, if any."""
        scheme, _, key = (_header(self.headers, "authorization") or "").partition(" ")
        return key.strip() or None if scheme.lower() == "bearer" else None

    def with_body(self, body: Body) -> ClientRequest:
        """The request with another JSON object."""
        return self if body == self.body else replace(self, raw=encode(body))

    def with_raw(self, raw: bytes) -> ClientRequest:
        """The request with another body, which can be any bytes."""
        return replace(self, raw=raw)

    def with_key(self, key: str | None) -> ClientRequest:
        """The request with another key, or without one."""
        header = None if key is None else f"Bearer {key}"
        return replace(self, headers=_with_header(self.headers, "authorization", header))


@dataclass(frozen=True)
class Part:
    """Bytes that are sent at once, after a pause in seconds."""

    data: bytes
    pause: float = 0.0


@dataclass(frozen=True)
class ServerResponse:
    """One response: the parts that are sent, and whether the connection is then cut."""

    status: int
    headers: Headers
    parts: tuple[Part, ...]
    cut: bool = False
    """The connection is closed after the last part, before the response is complete."""
    behind: bytes = b""
    """Bytes sent behind the response, on the same connection."""
    idle: float | None = None
    """Seconds after which the connection is closed if no other request has come; None for long."""
    unsent: bool = False
    """The connection is closed without any response."""
    left: Callable[[], None] | None = None
    """Called if the client closes the connection before it has got all."""

    @property
    def raw(self) -> bytes:
        """The whole body."""
        return b"".join(part.data for part in self.parts)

    @property
    def is_stream(self) -> bool:
        """Whether it is an event stream."""
        return (self.header("content-type") or "").startswith(EVENT_STREAM)

    @cached_property
    def body(self) -> Body:
        """A non-streaming response's JSON. Do not change it in place.

        Raises ValueError if the body is not a JSON object.
        """
        body = json.loads(self.raw)
        if not isinstance(body, dict):
            raise ValueError("the response is not a JSON object")  # noqa: TRY004 - as for invalid JSON
        return body

    @cached_property
    def data(self) -> tuple[str, ...]:
        """The data of a stream's events, including ``[DONE]``, as this server writes them."""
        events = self.raw.decode().split("\n\n")
        return tuple(event.removeprefix("data: ") for event in events if event)

    @property
    def chunks(self) -> list[Body]:
        """A stream's chunks, parsed again at each call."""
        return [json.loads(data) for data in self.data if data != DONE]

    def header(self, name: str) -> str | None:
        """A header's value, by its name in lower case."""
        return _header(self.headers, name)

    def with_header(self, name: str, value: str | None) -> ServerResponse:
        """The response with another value of a header, or without the header."""
        return replace(self, headers=_with_header(self.headers, name, value))

    def with_status(self, status: int) -> ServerResponse:
        """The response with another status."""
        return replace(self, status=status)

    def with_raw(self, raw: bytes) -> ServerResponse:
        """The response with another body, in one part."""
        return replace(self, parts=(Part(raw),))

    def with_body(self, body: Any) -> ServerResponse:
        """The response with another JSON value as its body."""
        return self.with_raw(encode(body))

    def with_data(self, data: Iterable[str]) -> ServerResponse:
        """The response with other events, each in a separate part."""
        events = (f"data: {one}\n\n".encode() for one in data)
        return replace(self, parts=tuple(Part(event) for event in events))

    def with_chunks(self, chunks: Iterable[Body]) -> ServerResponse:
        """The stream with other chunks; it ends with ``[DONE]`` if it did."""
        done = [DONE] if DONE in self.data else []
        return self.with_data([*(encode(chunk).decode() for chunk in chunks), *done])


Upstream = Callable[[ClientRequest], Awaitable[ServerResponse]]
"""Sends a request to the server behind; can be called several times."""


class Behaviour(Protocol):
    """What stands between the client and the server."""

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Respond to one request."""
        ...


class Rejected(Exception):  # noqa: N818 - a response, not an error
    """Raised by a behaviour's function to respond with an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.envelope: Body = {
            "error": {"message": message, "type": kind, "param": param, "code": code}
        }

    @property
    def response(self) -> ServerResponse:
        """The error response."""
        return json_response(self.status, self.envelope)


def json_response(status: int, body: Any) -> ServerResponse:
    """A response in JSON, from its status and its body."""
    return ServerResponse(status, (("content-type", "application/json"),), (Part(encode(body)),))


def encode(value: Any) -> bytes:
    """JSON as lenient servers write it: NaN and half a surrogate pair are permitted."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a pair can only be written as an escape
        return json.dumps(value, separators=(",", ":")).encode()


def _header(headers: Headers, wanted: str) -> str | None:
    return next((value for name, value in headers if name == wanted), None)


def _with_header(headers: Headers, name: str, value: str | None) -> Headers:
    kept = tuple((key, old) for key, old in headers if key != name)
    return kept if value is None else (*kept, (name, value))
