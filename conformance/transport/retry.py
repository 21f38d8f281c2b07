"""Which failed attempts are retried, and after what delay; pure.

Only transient errors are retried: connection errors, rate limits and server errors. Every attempt
is recorded.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TRIES = 3
"""Maximum attempts at one request, including the first."""

RETRIED = frozenset({429, 500, 502, 503, 504})
"""Statuses that are retried."""

MAX_WAIT_SECONDS = 30.0
"""Maximum delay; a longer ``Retry-After`` is cut to this."""

MAX_DATE_CHARS = 64
"""Maximum characters of a date in ``Retry-After``; the longest of RFC 9110 has 33."""

FIRST_WAIT_SECONDS = 0.5
"""Maximum delay before the second attempt; twice as long before the third."""

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]*)?")
"""A non-negative number. ``float`` alone would also accept ``nan``, ``-1``, ``1e999`` and ``٣``."""


def wait_before_retry(
    tries: int, status: int | None, headers: Iterable[tuple[str, str]], rng: random.Random
) -> float | None:
    """Return the delay in seconds before the next attempt, or None if there is none.

    Args:
        tries: the number of attempts so far.
        status: the status of the last attempt; None for a transient transport error.
        headers: the response headers of the last attempt.
        rng: for the jitter.
    """
    if tries >= TRIES or (status is not None and status not in RETRIED):
        return None
    wait = requested_wait(headers, datetime.now(UTC))
    if wait is not None:
        return min(wait, MAX_WAIT_SECONDS)
    # Jitter, so that requests that failed together are not retried together.
    return FIRST_WAIT_SECONDS * tries * rng.uniform(0.5, 1.0)


def requested_wait(headers: Iterable[tuple[str, str]], now: datetime) -> float | None:
    """Return the delay in seconds that the response headers request, or None.

    ``retry-after-ms`` is more precise and has precedence over ``Retry-After``, which is a number of
    seconds or a date (RFC 9110, section 10.2.3).
    """
    named = {name.lower(): value.strip() for name, value in headers}
    millis, seconds = named.get("retry-after-ms"), named.get("retry-after")
    for text, unit in ((millis, 0.001), (seconds, 1.0)):
        if text is not None and _DECIMAL.fullmatch(text):
            # A number with hundreds of digits is infinite, which is no error.
            return float(text) * unit
    return None if seconds is None else _until(seconds, now)


def _until(date: str, now: datetime) -> float | None:
    """Return the seconds until a date, 0 if it is past; None if it is no date."""
    if len(date) > MAX_DATE_CHARS:
        return None
    try:
        moment = parsedate_to_datetime(date)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    # A year, an hour or a time zone with too many digits overflows in one of several ways.
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
