"""Streams that a run has recorded: which of them came whole, and their chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.judgement import NotApplicable
from conformance.protocol.completion import JsonObject
from conformance.protocol.response import Response
from conformance.protocol.trace import RecordedExchange

SPEAKS_OF_AN_ERROR = re.compile(r"\berror\b", re.IGNORECASE)


def is_error(value: object) -> bool:
    """Return whether the data of an event is an error, and no chunk."""
    return isinstance(value, dict) and bool(value.get("error")) and "choices" not in value


def stream_of(exchange: RecordedExchange) -> Response:
    """Return a stream that was asked for and came whole."""
    if not exchange.served.is_stream or not exchange.request.stream:
        raise NotApplicable("the response is not a stream, or none was requested")
    return exchange.response


def unbroken(exchange: RecordedExchange) -> Response:
    """Return a stream that came whole and tells of no error, which may end it anywhere."""
    response = stream_of(exchange)
    broken = any(is_error(result) for _, result in exchange.payloads)
    if broken or any(SPEAKS_OF_AN_ERROR.search(line) for line in response.stream.stray):
        raise NotApplicable("the stream ended with an error")
    return response


def chunks_of(exchange: RecordedExchange) -> Sequence[JsonObject]:
    """Return the JSON objects of a stream that are chunks; there is one at least."""
    _ = stream_of(exchange)
    result = (result for _, result in exchange.payloads)
    chunks = [one for one in result if isinstance(one, dict) and not is_error(one)]
    if not chunks:
        raise NotApplicable("the stream has no chunks")
    return chunks
