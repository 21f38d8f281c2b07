"""Requests and answers as a relay sees them: bytes with headers, read as JSON where they are some.

Everything here is a value; "changing" one makes another.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

Body = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
"""Names in lower case, and values; without ``content-length``, which is made when sending."""

EVENT_STREAM = "text/event-stream"
DONE = "[DONE]"


@dataclass(frozen=True)
class ClientRequest:
    """One request to ``POST /v1/completions``, as it arrived."""

    raw: bytes
    headers: Headers
    server_key: str
    """The key that the server takes: a relay has one of its own to send."""

    @cached_property
    def body(self) -> Body:
        """The request's JSON; empty where it is no JSON object. Not to be changed in place."""
        try:
            body = json.loads(self.raw)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def key(self) -> str | None:
        """The key that the client presents, if any."""
        scheme, _, key = (_header(self.headers, "authorization") or "").partition(" ")
        return key.strip() or None if scheme.lower() == "bearer" else None

    def with_body(self, body: Body) -> ClientRequest:
        """The same request asking for something else."""
        return self if body == self.body else replace(self, raw=encode(body))

    def with_raw(self, raw: bytes) -> ClientRequest:
        """The same request with another body, whatever its bytes are."""
        return replace(self, raw=raw)

    def with_key(self, key: str | None) -> ClientRequest:
        """The same request with another key, or with none."""
        header = None if key is None else f"Bearer {key}"
        return replace(self, headers=_with_header(self.headers, "authorization", header))


@dataclass(frozen=True)
class Part:
    """Bytes that are sent at once, after a pause in seconds."""

    data: bytes
    pause: float = 0.0


@dataclass(frozen=True)
class ServerResponse:
    """One answer: what is sent, in which portions, and whether the connection then just ends."""

    status: int
    headers: Headers
    parts: tuple[Part, ...]
    cut: bool = False
    """The connection is closed after the last part, in the middle of the answer."""

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
        """A plain answer's JSON. Not to be changed in place.

        Raises ValueError where the body is no JSON object.
        """
        body = json.loads(self.raw)
        if not isinstance(body, dict):
            raise ValueError("the answer is no JSON object")  # noqa: TRY004 - as for no JSON at all
        return body

    @cached_property
    def data(self) -> tuple[str, ...]:
        """What the events of a stream carry, ``[DONE]`` included; read as this server writes."""
        events = self.raw.decode().split("\n\n")
        return tuple(event.removeprefix("data: ") for event in events if event)

    @property
    def chunks(self) -> list[Body]:
        """A stream's chunks, made anew each time."""
        return [json.loads(data) for data in self.data if data != DONE]

    def header(self, name: str) -> str | None:
        """A header's value, by its name in lower case."""
        return _header(self.headers, name)

    def with_header(self, name: str, value: str | None) -> ServerResponse:
        """The same answer with another value of a header, or without the header."""
        return replace(self, headers=_with_header(self.headers, name, value))

    def with_status(self, status: int) -> ServerResponse:
        """The same answer with another status."""
        return replace(self, status=status)

    def with_raw(self, raw: bytes) -> ServerResponse:
        """The same answer with another body, in one part."""
        return replace(self, parts=(Part(raw),))

    def with_body(self, body: Any) -> ServerResponse:
        """The same answer with another JSON value for a body."""
        return self.with_raw(encode(body))

    def with_data(self, data: Iterable[str]) -> ServerResponse:
        """The same answer with other events, each a part of its own."""
        events = (f"data: {one}\n\n".encode() for one in data)
        return replace(self, parts=tuple(Part(event) for event in events))

    def with_chunks(self, chunks: Iterable[Body]) -> ServerResponse:
        """The same stream with other chunks; it ends with ``[DONE]`` if it did."""
        done = [DONE] if DONE in self.data else []
        return self.with_data([*(encode(chunk).decode() for chunk in chunks), *done])


Upstream = Callable[[ClientRequest], Awaitable[ServerResponse]]
"""Asks the server proper; may be called as often as a behaviour needs."""


class Behaviour(Protocol):
    """What stands between the client and the server."""

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Answer one request."""
        ...


class Rejected(Exception):  # noqa: N818 - an answer, not an error
    """Raised by a behaviour's function to answer with an error of its own."""

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
        """The refusal as it is sent."""
        return json_response(self.status, self.envelope)


def json_response(status: int, body: Any) -> ServerResponse:
    """An answer in JSON, from its status and its body."""
    return ServerResponse(status, (("content-type", "application/json"),), (Part(encode(body)),))


def encode(value: Any) -> bytes:
    """JSON as careless servers write it: NaN and half a surrogate pair pass."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a pair can only be written as an escape
        return json.dumps(value, separators=(",", ":")).encode()


def _header(headers: Headers, wanted: str) -> str | None:
    return next((value for name, value in headers if name == wanted), None)


def _with_header(headers: Headers, name: str, value: str | None) -> Headers:
    kept = tuple((key, old) for key, old in headers if key != name)
    return kept if value is None else (*kept, (name, value))
