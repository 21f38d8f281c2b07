"""Dates in HTTP headers, by RFC 9110, section 5.6.7; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_CHARS = 64
"""Maximum characters of a date; the longest of RFC 9110 has 33."""


def read_date(text: str) -> datetime | None:
    """Return the moment that a header's value names, or None if it names none.

    A date without a time zone is in UTC.
    """
    if len(text) > MAX_CHARS:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # Near the first and the last year, another time zone has no such moment.
        return moment.astimezone(UTC)
    # Too many digits in a year, an hour or a time zone overflow in one of several ways.
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
