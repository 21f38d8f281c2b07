"""Recorded streams: which of them are complete, and their chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.judgement import NotApplicable
from conformance.message import say
from conformance.protocol.completion import JsonObject
from conformance.protocol.response import Response
from conformance.protocol.trace import RecordedExchange

SPEAKS_OF_AN_ERROR = re.compile(r"\berror\b", re.IGNORECASE)


def is_error(value: object) -> bool:
    """Return whether the data of an event is an error instead of a chunk."""
    return isinstance(value, dict) and bool(value.get("error")) and "choices" not in value


def stream_of(exchange: RecordedExchange) -> Response:
    """Return a requested stream, if it is complete."""
    if not exchange.served.is_stream or not exchange.request.stream:
        raise NotApplicable(say("the response is not a stream, or none was requested"))
    return exchange.response


def unbroken(exchange: RecordedExchange) -> Response:
    """Return a complete stream without an error; an error may end a stream anywhere."""
    response = stream_of(exchange)
    broken = any(is_error(result) for _, result in exchange.payloads)
    if broken or any(SPEAKS_OF_AN_ERROR.search(line) for line in response.stream.stray):
        raise NotApplicable(say("the stream ended with an error"))
    return response


def chunks_of(exchange: RecordedExchange) -> Sequence[JsonObject]:
    """Return the chunks of a stream, at least one."""
    _ = stream_of(exchange)
    result = (result for _, result in exchange.payloads)
    chunks = [one for one in result if isinstance(one, dict) and not is_error(one)]
    if not chunks:
        raise NotApplicable(say("the stream has no chunks"))
    return chunks
