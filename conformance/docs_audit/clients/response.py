"""A client's view of a response, in one format for all clients; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.protocol.sse import parse_events

DONE = "[DONE]"

OUTPUT_LIMIT = 8 * 2**20
"""Maximum bytes of a client's output. Completions have kilobytes; more is a mistake."""


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """A client's view of a response.

    Attributes:
        status, content_type: None if the client does not expose them.
        failure: the client's exception or error message, or None.
        response: a non-streaming response as the client parses it, or as text if it is not JSON.
        chunks: the chunks of a stream in the same way, also of an incomplete one.
        raw: the body, or None if the client does not expose it.
    """

    status: int | None = None
    content_type: str | None = None
    failure: str | None = None
    response: Any = None
    chunks: tuple[Any, ...] | None = None
    raw: str | None = None


def of_driver(output: str, *, streamed: bool) -> ClientResponse:
    """Parse a driver's output.

    Raises:
        ValueError: it is not a JSON object.
        RecursionError: it is nested too deeply.
    """
    document = json.loads(output)
    if not isinstance(document, Mapping):
        raise ValueError("a driver writes one JSON object")  # noqa: TRY004 - callers catch one type
    raw, chunks, response = (document.get(key) for key in ("raw", "chunks", "answer"))
    if streamed and chunks is None and isinstance(raw, str):
        chunks = _chunks(raw)
    return ClientResponse(
        status=document.get("status"),
        content_type=document.get("content_type"),
        failure=document.get("failure"),
        response=response,
        chunks=None if chunks is None else tuple(chunks),
        raw=raw,
    )


def of_body(
    raw: str, *, status: int | None, content_type: str | None, failure: str | None, streamed: bool
) -> ClientResponse:
    """Parse a raw body."""
    return ClientResponse(
        status=status,
        content_type=content_type,
        failure=failure,
        response=None if streamed else _parsed(raw),
        chunks=tuple(_chunks(raw)) if streamed else None,
        raw=raw,
    )


def _chunks(raw: str) -> list[Any]:
    events = parse_events(raw.encode("utf-8", errors="surrogatepass")).events
    return [_parsed(event.data) for event in events if event.data.strip() != DONE]


def _parsed(text: str) -> Any:
    """Parse strict JSON; return other text unchanged."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return text


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not valid JSON")
