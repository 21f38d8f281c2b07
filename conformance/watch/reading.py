"""Read values of the state: what anything else may have written is refused here, not met later.

A time near the ends of the calendar cannot be moved by an interval or into a time zone, a number
below zero would lift a limit of the day, and NaN compares as nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

YEARS = range(1970, 9000)
"""Years in which a time of the state can be."""


def time_of(text: str) -> datetime:
    """Read a time in ISO 8601 with its offset, and return it in UTC.

    Raises:
        ValueError: it is something else, or not in :data:`YEARS`.
        TypeError: it is no text.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or time.year not in YEARS:
        raise ValueError(text)
    return time.astimezone(UTC)


def count_of(value: object) -> int:
    """Read a number of things.

    Raises:
        ValueError: it is no integer of at least 0.
    """
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def amount_of(text: str) -> Decimal:
    """Read an amount of money.

    Raises:
        ValueError: it is not a finite number of at least 0.
        ArithmeticError, TypeError: it is no number.
    """
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount
