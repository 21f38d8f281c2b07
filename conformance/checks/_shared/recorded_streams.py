"""Streams that a run has recorded: which of them came whole, and their chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.judgement import NotApplicable
from conformance.protocol.completion import JsonObject
from conformance.protocol.response import Reply
from conformance.protocol.trace import Answered

SPEAKS_OF_AN_ERROR = re.compile(r"\berror\b", re.IGNORECASE)


def is_error(value: object) -> bool:
    """Return whether the data of an event is an error, and no chunk."""
    return isinstance(value, dict) and bool(value.get("error")) and "choices" not in value


def stream_of(answer: Answered) -> Reply:
    """Return a stream that was asked for and came whole."""
    if not answer.served.is_stream or not answer.asked.stream:
        raise NotApplicable("the answer is no stream, or none was asked for")
    return answer.reply


def unbroken(answer: Answered) -> Reply:
    """Return a stream that came whole and tells of no error, which may end it anywhere."""
    reply = stream_of(answer)
    broken = any(is_error(told) for _, told in answer.payloads)
    if broken or any(SPEAKS_OF_AN_ERROR.search(line) for line in reply.stream.stray):
        raise NotApplicable("the stream broke with an error")
    return reply


def chunks_of(answer: Answered) -> Sequence[JsonObject]:
    """Return the JSON objects of a stream that are chunks; there is one at least."""
    _ = stream_of(answer)
    told = (told for _, told in answer.payloads)
    chunks = [one for one in told if isinstance(one, dict) and not is_error(one)]
    if not chunks:
        raise NotApplicable("the stream has no chunks")
    return chunks
