"""Server-sent events from raw bytes, by the WHATWG HTML standard, section 9.2.6.

Pure. Unlike incremental decoders, this one keeps the arrival time of each event, and what breaks
the framing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.model import Arrival

_LINE_END = re.compile(rb"\r\n|\n|\r")
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_BOM = b"\xef\xbb\xbf"
FIELDS = frozenset({"data", "event", "id", "retry"})


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event.

    ``data`` is its data lines joined by newlines; ``at`` is the arrival of its last byte, in
    seconds since the request.
    """

    data: str
    type: str
    at: float


@dataclass(frozen=True, slots=True)
class EventStream:
    """A parsed body: its events, and everything that breaks the framing.

    ``stray`` are lines with an unknown field name, such as bare JSON. ``unfinished`` is the data of
    a last event without a blank line after it, or None.
    """

    events: tuple[Event, ...]
    stray: tuple[str, ...]
    unfinished: str | None


def parse_events(body: bytes, arrivals: Sequence[Arrival] = ()) -> EventStream:
    """Parse a body.

    Bytes that are not UTF-8 become U+FFFD, as the standard says.

    Args:
        body: the raw body.
        arrivals: the reads that it arrived in, in order; without them every ``at`` is 0.
    """
    clock = _Clock(arrivals)
    events: list[Event] = []
    stray: list[str] = []
    data: list[str] = []
    kind = ""
    for raw, end in _lines(body):
        line = raw.decode("utf-8", errors="replace")
        if not line:
            if data:
                events.append(Event("\n".join(data), kind or "message", clock.at(end)))
            data, kind = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name and name not in FIELDS:
            stray.append(line)
    return EventStream(tuple(events), tuple(stray), "\n".join(data) if data else None)


def _lines(body: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each line without its terminator, and the offset after the terminator."""
    start = len(_BOM) if body.startswith(_BOM) else 0
    for end in _LINE_END.finditer(body, start):
        yield body[start : end.start()], end.end()
        start = end.end()
    if start < len(body):
        yield body[start:], len(body)


class _Clock:
    """Arrival times by offset, which must be queried in ascending order."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self._arrivals = arrivals
        self._position = 0
        self._received = arrivals[0].size if arrivals else 0

    def at(self, offset: int) -> float:
        while self._received < offset and self._position + 1 < len(self._arrivals):
            self._position += 1
            self._received += self._arrivals[self._position].size
        return self._arrivals[self._position].at if self._arrivals else 0.0


class EventCounter:
    """Counts events of a body while it arrives, without parsing any part twice."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._count = 0

    def feed(self, read: bytes) -> int:
        """Add the next read and return the number of complete events so far.

        The time is linear in the read, also if no event ever ends.
        """
        # The end of an event can be split between two reads.
        start = max(0, len(self._rest) - 3)
        self._rest += read
        end = 0
        for border in _EVENT_END.finditer(self._rest[start:]):
            end = start + border.end()
        if end:
            self._count += len(parse_events(bytes(self._rest[:end])).events)
            del self._rest[:end]
        return self._count
