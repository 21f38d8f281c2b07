"""Faults of a stream's framing: invalid server-sent events, and the end of the stream."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import streams
from reference_server.behaviour.messages import DONE, Behaviour, ClientRequest, ServerResponse
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._parts import IN_EVENTS

END = b"data: [DONE]\n\n"


def _bytes(change: Callable[[bytes], bytes]) -> Behaviour:
    return streams(lambda _, got: got.with_raw(change(got.raw)))


def _data(change: Callable[[list[str]], list[str]]) -> Behaviour:
    return streams(lambda _, got: got.with_data(change(list(got.data))))


def _type(value: str | None) -> Behaviour:
    return streams(lambda _, got: got.with_header("content-type", value))


# ── [DONE] ───────────────────────────────────────────────────────────────────────────────────────


@fault("missing-done", breaks="streaming.done-last", evidence=Evidence.SIBLING, triggers=IN_EVENTS)
def missing_done() -> Behaviour:
    """A stream ends without ``[DONE]``."""
    return _data(lambda data: data[:-1])


@fault("done-twice", breaks="streaming.done-last", triggers=IN_EVENTS)
def done_twice() -> Behaviour:
    """Two ``[DONE]`` events end a stream: the upstream's and the relay's."""
    return _data(lambda data: [*data, DONE])


@fault(
    "done-per-choice",
    breaks="streaming.done-last",
    triggers=IN_EVENTS,
)
def done_per_choice() -> Behaviour:
    """Each choice of a stream with several choices ends with its own ``[DONE]``."""

    def of(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        ends = sum(p["finish_reason"] is not None for c in got.chunks for p in c["choices"])
        return got.with_data([*got.data, *[DONE] * (ends - 1)])

    return streams(of)


@fault("done-as-json", breaks="streaming.done-last", triggers=IN_EVENTS)
def done_as_json() -> Behaviour:
    """A stream ends with ``{"done": true}`` instead of ``[DONE]``."""
    return _data(lambda data: [*data[:-1], '{"done": true}'])


@fault("done-quoted", breaks="streaming.done-last", triggers=IN_EVENTS)
def done_quoted() -> Behaviour:
    """The end of a stream is sent as a JSON string: ``"[DONE]"``."""
    return _data(lambda data: [*data[:-1], '"[DONE]"'])


@fault(
    "done-before-usage",
    breaks="streaming.done-last",
    also_breaks="stream-options.include-usage",
    triggers=IN_EVENTS,
)
def done_before_usage() -> Behaviour:
    """The last chunk is sent after ``[DONE]``."""
    return _data(lambda data: [*data[:-2], DONE, data[-2]])


@fault("more-after-done", breaks="streaming.done-last", triggers=IN_EVENTS)
def more_after_done() -> Behaviour:
    """An event with the relay's channel follows ``[DONE]``."""
    return _data(lambda data: [*data, '{"channel": 7}'])


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


@fault(
    "ndjson-not-sse",
    breaks="streaming.framing stream.true-streams",
    evidence=Evidence.REPORTED,
    triggers=IN_EVENTS,
)
def ndjson_not_sse() -> Behaviour:
    """A stream consists of JSON lines instead of events."""
    return _bytes(lambda raw: raw.replace(b"data: ", b"").replace(b"\n\n", b"\n"))


@fault(
    "events-merged",
    breaks="streaming.framing",
    evidence=Evidence.REPORTED,
    triggers=IN_EVENTS,
)
def events_merged() -> Behaviour:
    """There is no blank line between events, so a client joins them into one."""
    return _bytes(lambda raw: raw.replace(b"}\n\ndata", b"}\ndata"))


@fault("two-chunks-in-an-event", breaks="streaming.framing", triggers=IN_EVENTS)
def two_chunks_in_an_event() -> Behaviour:
    """The first event contains two JSON documents."""
    return _data(lambda data: ["".join(data[:2]), *data[2:]] if len(data) > 2 else data)


@fault("data-twice", breaks="streaming.framing", triggers=IN_EVENTS)
def data_twice() -> Behaviour:
    """``data:`` is prefixed twice to each line."""
    return _data(lambda data: [f"data: {one}" for one in data])


@fault("keep-alive-as-data", breaks="streaming.framing", triggers=IN_EVENTS)
def keep_alive_as_data() -> Behaviour:
    """A keep-alive is sent as an event that is not JSON, instead of a comment."""
    return _data(lambda data: ["ping", *data])


@fault("keep-alive-as-empty-object", breaks="streaming.chunk-shape", triggers=IN_EVENTS)
def keep_alive_as_empty_object() -> Behaviour:
    """A keep-alive is sent as an empty JSON object, instead of a comment."""
    return _data(lambda data: ["{}", *data])


@fault("bare-line", breaks="streaming.framing", triggers=IN_EVENTS)
def bare_line() -> Behaviour:
    """One line in the middle of a stream is not a field of an event."""
    return _bytes(lambda raw: raw.replace(END, b"OPENROUTER PROCESSING\n\n" + END))


@fault("no-blank-line-at-end", breaks="streaming.framing", triggers=IN_EVENTS)
def no_blank_line_at_end() -> Behaviour:
    """The last event has no blank line after it, so a strict client never dispatches it."""
    return _bytes(lambda raw: raw.rstrip() + b"\n")


@fault("broken-json", breaks="streaming.framing", triggers=IN_EVENTS)
def broken_json() -> Behaviour:
    """A chunk is written as a Python literal instead of JSON."""
    return _bytes(lambda raw: raw.replace(b'"index"', b"'index'", 1))


@fault("chunk-cut-in-two", breaks="streaming.framing", triggers=IN_EVENTS)
def chunk_cut_in_two() -> Behaviour:
    """Every portion that a relay reads is sent as an event, which splits a chunk in two."""

    def of(data: list[str]) -> list[str]:
        half = len(data[0]) // 2
        return [data[0][:half], data[0][half:], *data[1:]]

    return _data(of)


@fault("marks-before-events", breaks="streaming.framing", triggers=IN_EVENTS)
def marks_before_events() -> Behaviour:
    """Every event begins with a byte order mark."""
    return _bytes(lambda raw: raw.replace(b"data: ", b"\xef\xbb\xbfdata: "))


@fault(
    "stream-not-in-utf-8",
    breaks="streaming.framing streaming.whole-characters",
    triggers=IN_EVENTS - {Trigger.NON_ASCII},
)
def stream_not_in_utf_8() -> Behaviour:
    """A stream is encoded in GB18030 instead of UTF-8."""
    return _bytes(lambda raw: raw.decode().encode("gb18030"))


# ── Headers ──────────────────────────────────────────────────────────────────────────────────────


@fault("stream-as-json", breaks="streaming.content-type", triggers=IN_EVENTS)
def stream_as_json() -> Behaviour:
    """A stream has the content type ``application/json``."""
    return _type("application/json")


@fault("stream-as-text", breaks="streaming.content-type", triggers=IN_EVENTS)
def stream_as_text() -> Behaviour:
    """A stream has the content type ``text/plain``."""
    return _type("text/plain; charset=utf-8")


@fault("stream-without-type", breaks="streaming.content-type", triggers=IN_EVENTS)
def stream_without_type() -> Behaviour:
    """A stream has no content type."""
    return _type(None)
