"""Days and what a series of runs was on each of them; pure.

A day is its ordinal, :meth:`datetime.date.toordinal`: records may come from anyone, and their dates
can be at either end of the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from conformance.history.entry import Entry

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def days(self) -> int:
        """How many there are."""
        return self.last - self.first + 1

    def holds(self, day: int) -> bool:
        """Return whether a day is one of them."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Stretch:
    """``length`` days of one kind, from the day ``start`` of a span, which counts from 0."""

    start: int
    length: int
    kind: str


def moment_of(text: str) -> datetime | None:
    """Return a time of a record, in UTC; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_of(entry: Entry) -> int:
    """Return the day on which a run began; 1, the first there is, if its record does not tell."""
    at = moment_of(entry.started_at)
    return at.toordinal() if at else 1


def iso(day: int) -> str:
    """Return a day as ``2026-12-01``."""
    return date.fromordinal(day).isoformat()


def span_until(entries: Iterable[Entry], days: int) -> Span:
    """Return the days up to the last run, from the first one on, but at most ``days``."""
    found = [day_of(entry) for entry in entries]
    last = max(found, default=1)
    return Span(max(1, min(found, default=1), last - days + 1), last)


def stretches(kinds: Mapping[int, str], span: Span) -> Iterator[Stretch]:
    """Join days of one kind that follow each other; days without a kind are left out.

    Args:
        kinds: the kind of each day that has one, by its ordinal.
        span: the days to look at.
    """
    start, length, kind = 0, 0, ""
    for day in sorted(day for day in kinds if span.holds(day)):
        place = day - span.first
        if length and kinds[day] == kind and place == start + length:
            length += 1
            continue
        if length:
            yield Stretch(start, length, kind)
        start, length, kind = place, 1, kinds[day]
    if length:
        yield Stretch(start, length, kind)


def worst_of_days(kinds: Iterable[tuple[int, str]], order: Mapping[str, int]) -> dict[int, str]:
    """Return the worst kind of each day.

    Args:
        kinds: days with a kind, of which a day may have several.
        order: the rank of each kind, the worst lowest.
    """
    found: dict[int, str] = {}
    for day, kind in kinds:
        if day not in found or order[kind] < order[found[day]]:
            found[day] = kind
    return found
