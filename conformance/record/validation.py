"""Validate the values of a record, which may come from anyone.

The functions are hooks of cattrs and raise :class:`BadValueError`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from conformance.model import (
    RATES,
    TIMES,
    Comparison,
    Conclusion,
    Cost,
    Exchange,
    Finding,
    Footer,
    Header,
    Objective,
    Verdict,
)

T = TypeVar("T")


class BadValueError(ValueError):
    """A value is not acceptable; the message is short, and names no place."""


MAX_INTEGER = 2**63 - 1
MAX_SECONDS = 1e9
MAX_STATUS = 999
MAX_BRIEF_CHARS = 60
MAX_NAME_CHARS = 500

DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
"""A price: digits and a point, so that arithmetic with it stays small and exact."""

SHA256 = re.compile(r"[0-9a-f]{64}")
CURRENCY = re.compile(r"[A-Z]{3}")
"""The code of a currency (ISO 4217)."""


def brief(value: object) -> str:
    """Show a value of any size and depth in a message."""
    if isinstance(value, str):
        return repr(value if len(value) <= MAX_BRIEF_CHARS else f"{value[:MAX_BRIEF_CHARS]}…")
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) <= MAX_INTEGER else "a number with too many digits"
    return "an object" if isinstance(value, dict) else "an array"


def only(kind: type[T]) -> Callable[[Any, Any], T]:
    """Accept only values of one type; by default cattrs would convert None to a string."""

    def structure(value: Any, _: Any) -> T:
        if not isinstance(value, kind):
            raise BadValueError(f"{brief(value)} is not of type {kind.__name__}")
        return value

    return structure


def integer(value: Any, _: Any) -> int:
    """Accept an integer of at most 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_INTEGER:
        raise BadValueError(f"{brief(value)} is not of type int")
    return value


def seconds(value: Any, _: Any) -> float:
    """Accept a duration; all floats of a record are durations."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    # Integers are compared before they are converted, because large ones cannot be.
    if not usable or not 0 <= value <= MAX_SECONDS or not math.isfinite(value):
        raise BadValueError(f"{brief(value)} is not a number of seconds")
    return float(value)


def decimal(value: Any, _: Any) -> Decimal:
    """Accept a price, which a record holds as a string of digits with at most one point."""
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        raise BadValueError(f"{brief(value)} is not a price")
    return Decimal(value)


def word(value: Any, kind: type[StrEnum]) -> StrEnum:
    """Accept a word of an enumeration."""
    if not isinstance(value, str):
        raise BadValueError(f"{brief(value)} is not of type str")
    try:
        return kind(value)
    except ValueError:
        raise BadValueError(f"{brief(value)} is not a {kind.__name__.lower()}") from None


def assert_plausible(record: Header | Exchange | Finding | Comparison | Footer) -> None:
    """Check what the types do not say.

    Raises:
        BadValueError: a number is negative, a status is no HTTP status, or an id is no name.
    """
    match record:
        case Finding():
            _assert_names(record.id, record.requirement)
            if record.verdict is Verdict.EXPECTED:
                raise BadValueError("'expected' is not the verdict of a check")
        case Exchange():
            _assert_exchange(record)
        case Comparison():
            _assert_exchange(record.answer)
        case Header():
            _assert_header(record)
        case Footer():
            for result in record.objectives:
                _assert_objective(result.objective)
                _assert_counts("objectives", (result.beyond, result.sample - result.beyond))
            if record.conclusion is Conclusion.AS_EXPECTED:
                raise BadValueError("'as expected' is not the conclusion of a run")
            _assert_counts("counts", record.counts.values())
            for cost in (record.cost, record.reference_cost or record.cost):
                _assert_counts("cost", _counts_of(cost))
                if cost.cached_tokens > cost.prompt_tokens:
                    raise BadValueError("more tokens are cached than the prompts have")


def _assert_header(header: Header) -> None:
    _assert_names(*(requirement.id for requirement in header.requirements))
    _assert_expected(header)
    limits = header.limits
    _assert_counts("limits", (limits.requests or 0, limits.tokens or 0))
    if header.promises is not None and not SHA256.fullmatch(header.promises):
        raise BadValueError(f"{brief(header.promises)} is not a SHA-256")
    for part in header.resumed:
        _assert_counts("resumed", (part.exchanges, *_counts_of(part.unrecorded)))
    _assert_names(*(word for word in (header.region, header.label) if word is not None))
    if header.prices is not None and not CURRENCY.fullmatch(header.prices.currency):
        raise BadValueError(f"{brief(header.prices.currency)} is not a currency")
    for objective in header.objectives:
        _assert_objective(objective)


def _assert_objective(objective: Objective) -> None:
    percentile = objective.percentile
    is_time = objective.measure in TIMES
    if is_time != (percentile is not None) or not 0 < (percentile or 1) < 100:
        raise BadValueError(f"{brief(percentile)} is not a percentile of {objective.measure}")
    if objective.measure in RATES and not 0 < objective.bound < 1:
        raise BadValueError(f"{brief(objective.bound)} is not a rate")


def _counts_of(cost: Cost) -> tuple[int, ...]:
    return (
        cost.requests,
        cost.prompt_tokens,
        cost.completion_tokens,
        cost.estimated_tokens,
        cost.cached_tokens,
    )


def _assert_expected(header: Header) -> None:
    for entry in header.expected.entries if header.expected else ():
        _assert_names(entry.name, *entry.checks)
        _assert_counts("line", (entry.line,))


def _assert_names(*names: str) -> None:
    """Check ids, which become links, names of test cases and columns of tables."""
    for name in names:
        if not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
            raise BadValueError(f"{brief(name)} is not an id")


def _assert_exchange(exchange: Exchange) -> None:
    _assert_names(exchange.id)
    for status in (exchange.status, *(attempt.status for attempt in exchange.attempts)):
        if status is not None and not 0 <= status <= MAX_STATUS:
            raise BadValueError(f"{status} is not an HTTP status")
    _assert_counts("arrivals", (arrival.size for arrival in exchange.arrivals))
    _assert_counts("read_events", (exchange.request.read_events or 0,))


def _assert_counts(name: str, values: Iterable[int]) -> None:
    if any(value < 0 for value in values):
        raise BadValueError(f"{name} contains a negative number")
