"""Server-sent events from raw bytes, in any framing and any reads."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import Arrival
from conformance.protocol.sse import Event, EventCounter, parse_events

LINE_ENDS = ("\n", "\r\n", "\r")
VALUES = st.text(
    st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=9
)


def data_of(body: bytes) -> list[str]:
    return [event.data for event in parse_events(body).events]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_every_standard_line_end_is_recognised(end: str) -> None:
    body = f"data: a{end}{end}data: b{end}{end}".encode()
    assert data_of(body) == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data\n\n", [""]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b": a comment\n\ndata: a\n\n", ["a"]),
        (b"event: ping\n\ndata: a\n\n", ["a"]),
        (b"id: 1\nretry: 5\ndata: a\n\n", ["a"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"data: a", []),
        (b"", []),
    ],
)
def test_events_follow_the_standard(body: bytes, data: list[str]) -> None:
    assert data_of(body) == data


def test_event_type_applies_to_one_event() -> None:
    stream = parse_events(b"event: error\ndata: a\n\ndata: b\n\n")
    assert [event.type for event in stream.events] == ["error", "message"]


def test_type_without_data_is_dropped() -> None:
    assert parse_events(b"event: ping\n\ndata: a\n\n").events[0].type == "message"


def test_stray_lines_are_separated_from_events() -> None:
    stream = parse_events(b'data: a\n\n{"error": "bare"}\ndata: b')
    assert stream.stray == ('{"error": "bare"}',)
    assert stream.unfinished == "b"


def test_event_time_is_that_of_its_last_byte() -> None:
    body = b"data: a\n\ndata: b\n\n"
    arrivals = [Arrival(1.0, 5), Arrival(2.0, 4), Arrival(3.0, 9)]
    assert parse_events(body, arrivals).events == (
        Event("a", "message", 2.0),
        Event("b", "message", 3.0),
    )


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """A stream in some framing, and the data of its events."""
    body, data = draw(st.sampled_from(["", "\ufeff"])), []
    for lines in draw(st.lists(st.lists(VALUES, min_size=1, max_size=3), max_size=5)):
        end = draw(st.sampled_from(LINE_ENDS))
        if draw(st.booleans()):
            body += f": {draw(VALUES)}{end}"
        body += "".join(f"data: {line}{end}" for line in lines) + end
        data.append("\n".join(lines))
    return body.encode(), data


def cuts(body: bytes, points: Sequence[int]) -> list[bytes]:
    ends = sorted({min(point, len(body)) for point in points} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(stream=streams())
def test_every_framing_preserves_the_data(stream: tuple[bytes, list[str]]) -> None:
    body, data = stream
    assert data_of(body) == data
    assert parse_events(body).stray == ()


@given(stream=streams(), points=st.lists(st.integers(0, 200)))
def test_read_boundaries_change_only_the_times(
    stream: tuple[bytes, list[str]], points: list[int]
) -> None:
    body, data = stream
    arrivals = [Arrival(float(i), len(read)) for i, read in enumerate(cuts(body, points))]
    events = parse_events(body, arrivals).events
    assert [event.data for event in events] == data
    assert [event.at for event in events] == sorted(event.at for event in events)


@given(stream=streams(), points=st.lists(st.integers(0, 200)))
def test_event_count_does_not_depend_on_reads(
    stream: tuple[bytes, list[str]], points: list[int]
) -> None:
    body, data = stream
    counter = EventCounter()
    counts = [counter.feed(read) for read in cuts(body, points)]
    assert counts[-1] == len(data)
    assert counts == sorted(counts)


@pytest.mark.parametrize("crumb", [b"data: x", b": ", b"\n", b"\r"])
def test_counting_events_takes_linear_time(crumb: bytes) -> None:
    def seconds(reads: int) -> float:
        counter, began = EventCounter(), time.process_time()
        for _ in range(reads):
            counter.feed(crumb)
        return time.process_time() - began

    # Eight times the reads take eight times as long, and not 64 times.
    assert seconds(80_000) < 24 * max(seconds(10_000), 0.005)
