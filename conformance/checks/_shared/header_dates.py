"""Dates in response headers (RFC 9110, section 5.6.7)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

MAX_DATE_CHARS = 100
"""Characters of a header that can be a date; an HTTP date has 29."""


def time_in(header: str) -> float | None:
    """Return the Unix time of an HTTP date in seconds; None if the header is none."""
    if len(header) > MAX_DATE_CHARS:
        return None
    try:
        return parsedate_to_datetime(header).timestamp()
    # A year, an hour or a time zone with too many digits overflows in one of several ways.
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None
