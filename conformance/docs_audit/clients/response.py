"""What a client made of an answer, in one shape for all clients. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.protocol.sse import parse_events

DONE = "[DONE]"

OUTPUT_LIMIT = 8 * 2**20
"""Bytes that a client may write. A completion has kilobytes; more is a mistake or an attack."""


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """What came back.

    Attributes:
        status, content_type: where the client tells them.
        failure: what the client threw or complained of, in its own words.
        response: a plain answer as the client's objects give it, or as text where it is no JSON.
        chunks: the parts of a stream, as far as it came, each in the same way.
        raw: the body, where the client shows it.
    """

    status: int | None = None
    content_type: str | None = None
    failure: str | None = None
    response: Any = None
    chunks: tuple[Any, ...] | None = None
    raw: str | None = None


def of_driver(output: str, *, streamed: bool) -> ClientResponse:
    """Read what a driver wrote.

    Raises:
        ValueError: it is not what a driver writes.
        RecursionError: it is nested too deeply to be read.
    """
    document = json.loads(output)
    if not isinstance(document, Mapping):
        raise ValueError("a driver writes one JSON object")  # noqa: TRY004 - read, not called
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
    """Read a body as it came."""
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
    """Parse strict JSON; what is none stays the text that it is."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return text


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not valid JSON")
