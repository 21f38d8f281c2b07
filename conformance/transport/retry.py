"""When a request is sent again, and how long to wait before: pure.

Only what says nothing of the request is retried: a connection that failed, a rate limit, a server
that is out of order. A verdict is never retried, and every attempt stays in the record.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TRIES = 3
"""Attempts at one request, the first included."""

RETRIED = frozenset({429, 500, 502, 503, 504})
"""Statuses that may be gone a moment later."""

MAX_WAIT_SECONDS = 30.0
"""Seconds; an endpoint that asks for more is asked again after this."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt; twice as many before the third."""


def wait_before_retry(
    tries: int, status: int | None, headers: Iterable[tuple[str, str]], rng: random.Random
) -> float | None:
    """Return the seconds to wait after so many tries, or None when the answer stands.

    ``status`` is None for a fault of the transport that may pass.
    """
    if tries >= TRIES or (status is not None and status not in RETRIED):
        return None
    wait = requested_wait(headers, datetime.now(UTC))
    if wait is not None:
        return min(wait, MAX_WAIT_SECONDS)
    # Jitter keeps requests that failed together from coming back together.
    return FIRST_WAIT * tries * rng.uniform(0.5, 1.0)


def requested_wait(headers: Iterable[tuple[str, str]], now: datetime) -> float | None:
    """Read the wait that an endpoint asks for, in seconds; None where it asks for none.

    ``retry-after-ms`` is finer and goes before ``Retry-After``, which is seconds or a date.
    """
    named = {name.lower(): value.strip() for name, value in headers}
    millis, seconds = named.get("retry-after-ms"), named.get("retry-after")
    for text, unit in ((millis, 0.001), (seconds, 1.0)):
        if text is not None and (number := _number(text)) is not None:
            return number * unit
    if seconds is None:
        return None
    try:
        moment = parsedate_to_datetime(seconds)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _number(text: str) -> float | None:
    """Read a plain, non-negative decimal; float() alone would take ``nan`` and ``-1`` too."""
    whole, _, fraction = text.partition(".")
    return float(text) if whole.isdecimal() and (fraction or "0").isdecimal() else None
