"""The bytes of an event stream: all that the standard permits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from reference_server.behaviour.builders import streams
from reference_server.behaviour.messages import Behaviour, Part, ServerResponse
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("crlf")
def crlf() -> Behaviour:
    """Lines of a stream end with CR and LF."""
    return _each_event(lambda event: event.replace(b"\n", b"\r\n"))


@variant("comments")
def comments() -> Behaviour:
    """A stream begins with a comment, and has one between any two events."""
    return _each_event(lambda event: b": OPENROUTER PROCESSING\n\n" + event)


@variant("comments-within")
def comments_within() -> Behaviour:
    """Comments are inside events, before their data and without a blank line."""
    return _each_event(lambda event: b":\n: keep-alive\n" + event)


@variant("no-space-after-data")
def no_space_after_data() -> Behaviour:
    """Lines are ``data:{…}``, without the optional space."""
    return _each_event(lambda event: event.replace(b"data: ", b"data:"))


@variant("event-fields")
def event_fields() -> Behaviour:
    """Events have an id, a retry time and the name of the default type."""
    return _each_event(lambda event: b"event: message\nid: 7\nretry: 3000\n" + event)


@variant("more-blank-lines")
def more_blank_lines() -> Behaviour:
    """Several blank lines follow each event."""
    return _each_event(lambda event: b"\n" + event + b"\n")


@variant("spaced-json")
def spaced_json() -> Behaviour:
    """Chunks are written with spaces and with escapes for all non-ASCII characters."""

    def change(event: bytes) -> bytes:
        name, _, data = event.decode().partition(": ")
        if data.strip() == "[DONE]":
            return event
        return f"{name}: {json.dumps(json.loads(data))}\n\n".encode()

    return _each_event(change)


@variant("odd-portions")
def odd_portions() -> Behaviour:
    """A stream is split anywhere: within lines, characters and line ends."""

    def change(got: ServerResponse) -> ServerResponse:
        raw, size = got.raw, 37
        cuts = range(0, len(raw), size)
        return replace(got, parts=tuple(Part(raw[at : at + size]) for at in cuts))

    return streams(lambda _, got: change(got))


@variant("one-portion")
def one_portion() -> Behaviour:
    """A short stream arrives in one portion, because it was complete at once."""
    return streams(lambda _, got: replace(got, parts=(Part(got.raw),)))


def _each_event(change: Callable[[bytes], bytes]) -> Rewrite:
    """Change how each event is written, together with the blank line that ends it."""

    def result(got: ServerResponse) -> ServerResponse:
        events = [event + b"\n\n" for event in got.raw.split(b"\n\n") if event]
        return replace(got, parts=tuple(Part(change(event)) for event in events))

    return streams(lambda _, got: result(got))
