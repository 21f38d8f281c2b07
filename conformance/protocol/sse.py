"""Server-sent events from raw bytes, by the WHATWG HTML standard, section 9.2.6.

Pure: bytes and their arrival times in, events out. A decoder that is fed text chunk by chunk cannot
tell when an event arrived or whether the framing was right, so this one keeps both.
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
    """One dispatched event: its data lines joined by newlines, and when its last byte came."""

    data: str
    type: str
    at: float


@dataclass(frozen=True, slots=True)
class EventStream:
    """A parsed body: its events, and what in it was no server-sent event.

    ``stray`` holds lines whose field name the standard does not know, such as bare JSON;
    ``unfinished`` the data of a last event that no blank line ended.
    """

    events: tuple[Event, ...]
    stray: tuple[str, ...]
    unfinished: str | None


def parse_events(body: bytes, arrivals: Sequence[Arrival] = ()) -> EventStream:
    """Parse a body; ``arrivals`` are the reads it came in, in order, and may be empty.

    Bytes that are not UTF-8 become U+FFFD, as the standard says.
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
    """Yield each line without its end, and the offset just past that end."""
    start = len(_BOM) if body.startswith(_BOM) else 0
    for end in _LINE_END.finditer(body, start):
        yield body[start : end.start()], end.end()
        start = end.end()
    if start < len(body):
        yield body[start:], len(body)


class _Clock:
    """Tell when the byte at an offset arrived; offsets must be asked for in rising order."""

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
    """Count events while a body comes in, without parsing what was counted again."""

    def __init__(self) -> None:
        self._rest = b""
        self._count = 0

    def feed(self, read: bytes) -> int:
        """Take the next read and return how many events are complete by now."""
        # A border may lie across two reads, so the search starts a little before the new one.
        start = max(0, len(self._rest) - 3)
        self._rest += read
        borders = list(_EVENT_END.finditer(self._rest, start))
        if borders:
            end = borders[-1].end()
            self._count += len(parse_events(self._rest[:end]).events)
            self._rest = self._rest[end:]
        return self._count
