"""The table ``[watch]`` of ``conformance.toml``, and ``watch`` in a target.

    [watch]
    every = "6h"
    max-requests-per-day = 500      # of all targets together

    [watch.notices.team]
    kind = "slack"
    url-env = "SLACK_WEBHOOK_URL"

    [targets.zero.watch]
    cron = "17 4 * * *"

Limits in ``[watch]`` are those of all targets together, limits in a target its own. Everything else
in ``[watch]`` is what a target has that does not say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from conformance.model import Money, Tier
from conformance.record.validation import CURRENCY, DECIMAL
from conformance.targets.parsing import TypedError
from conformance.targets.settings import text, tier, whole

_DURATION = re.compile(r"([0-9]{1,7})\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SHORTEST_INTERVAL = timedelta(minutes=1)
LONGEST = timedelta(days=366)
MAX_CRON_CHARS = 200
DEFAULT_CONFIRM_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Cadence:
    """When a target is due: at an interval, or by a cron expression.

    Attributes:
        every: the time from one start to the next; None with ``cron``.
        cron: five fields as Debian's cron reads them; None with ``every``.
        jitter: up to this long later, by chance; the same for all processes.
    """

    every: timedelta | None = None
    cron: str | None = None
    jitter: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """The most that is spent in a day; None is no limit."""

    requests: int | None = None
    tokens: int | None = None
    money: Money | None = None


@dataclass(frozen=True, slots=True)
class TargetWatch:
    """How one target is watched.

    Attributes:
        cadence: when it is due.
        tier: of its runs; None is that of the target.
        limits: of each day.
        confirm_after: after how long a change is confirmed by another run before it is told; None
            tells it at once.
    """

    cadence: Cadence
    tier: Tier | None = None
    limits: DailyLimits = DailyLimits()
    confirm_after: timedelta | None = DEFAULT_CONFIRM_AFTER


@dataclass(frozen=True, slots=True)
class Shared:
    """What ``[watch]`` says.

    Attributes:
        values: what targets have that do not say otherwise, by key.
        limits: those of all targets together.
        zone: of cron expressions, and of the days of limits.
        notices: the tables of the channels, by name; :mod:`conformance.watch.channels` reads them.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    limits: DailyLimits = DailyLimits()
    zone: tzinfo = UTC
    notices: Mapping[str, Any] = field(default_factory=dict)


def duration(least: timedelta, most: timedelta = LONGEST) -> Callable[[Any], timedelta]:
    """Return a validator for a duration such as ``90s``, ``5m``, ``6h`` or ``1d``."""

    def take(value: Any) -> timedelta:
        found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise TypedError('must be a duration such as "90s", "5m", "6h" or "1d"')
        length = timedelta(**{_UNITS[found[2]]: int(found[1])})
        if not least <= length <= most:
            raise TypedError(f"must be from {_shown(least)} to {_shown(most)}")
        return length

    return take


def _shown(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def cron(value: Any) -> str:
    """Validate a cron expression of five fields."""
    expression = text(value)
    if len(expression) > MAX_CRON_CHARS or len(expression.split()) != 5:
        raise TypedError('must be a cron expression of five fields, such as "17 4 * * *"')
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        said = str(error).rstrip(".").lower()
        raise TypedError(f"is no cron expression ({said}); write one like 17 4 * * *") from None
    except StopIteration:
        raise TypedError("is a cron expression that never comes true") from None
    return expression


def confirm_after(value: Any) -> timedelta | None:
    """Validate a duration, or false."""
    if value is False:
        return None
    try:
        return duration(timedelta(seconds=1), timedelta(days=1))(value)
    except TypedError as error:
        raise TypedError(f"{error}, or false to tell changes at once") from None


def money(value: Any) -> Money:
    """Validate an amount of money."""
    if not isinstance(value, dict) or value.keys() != {"amount", "currency"}:
        raise TypedError('must be a table such as {amount = 1.50, currency = "USD"}')
    amount, currency = value["amount"], value["currency"]
    is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
    written = format(Decimal(str(amount)), "f") if is_number else amount
    if not isinstance(written, str) or not DECIMAL.fullmatch(written) or not Decimal(written):
        raise TypedError("has an amount that is not a number above 0, such as 1.50")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        raise TypedError("has a currency that is not a code of three capitals, such as USD or CNY")
    return Money(Decimal(written), currency)


def zone(value: Any) -> tzinfo:
    """Validate the name of a time zone."""
    name = text(value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TypedError(
            "must be a time zone that this system knows, such as Europe/Berlin or UTC"
        ) from None


_LIMITS: Mapping[str, Callable[[Any], Any]] = {
    "max-requests-per-day": whole(1),
    "max-tokens-per-day": whole(1),
    "max-money-per-day": money,
}
_OF_TARGETS: Mapping[str, Callable[[Any], Any]] = {
    "every": duration(SHORTEST_INTERVAL),
    "cron": cron,
    "jitter": duration(timedelta(), timedelta(days=1)),
    "tier": tier,
    "confirm-after": confirm_after,
}


def of_target(value: Any) -> Mapping[str, Any] | None:
    """Validate ``watch`` of a target; None if the target is not watched."""
    if value is False:
        return None
    if not isinstance(value, dict):
        raise TypedError('must be a table, such as {every = "6h"}, or false')
    taken = _taken(value, {**_OF_TARGETS, **_LIMITS})
    if {"every", "cron"} <= taken.keys():
        raise TypedError("has both every and cron; choose one of them")
    return taken


def of_all(value: Any) -> Shared:
    """Validate the table ``[watch]``."""
    if not isinstance(value, dict):
        raise TypedError("must be a table, [watch]")
    notices = value.get("notices", {})
    rest = {key: each for key, each in value.items() if key != "notices"}
    taken = _taken(rest, {**_OF_TARGETS, **_LIMITS, "timezone": zone})
    if {"every", "cron"} <= taken.keys():
        raise TypedError("has both every and cron; choose one of them")
    if not isinstance(notices, dict) or not all(isinstance(n, dict) for n in notices.values()):
        raise TypedError("has notices that are no tables; write [watch.notices.NAME]")
    return Shared(
        values={key: taken[key] for key in _OF_TARGETS if key in taken},
        limits=_limits(taken),
        zone=taken.get("timezone", UTC),
        notices=notices,
    )


def _taken(table: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    taken = {}
    for key, value in table.items():
        if key not in readers:
            raise TypedError(f"has the unknown key {key[:80]!r}; its keys are {', '.join(readers)}")
        try:
            taken[key] = readers[key](value)
        except TypedError as error:
            raise TypedError(f"has a value for {key} that {error}") from None
    return taken


def _limits(values: Mapping[str, Any]) -> DailyLimits:
    return DailyLimits(*(values.get(key) for key in _LIMITS))


def watch_of(own: Mapping[str, Any], shared: Shared) -> TargetWatch | None:
    """Return how a target is watched; None if nothing says when.

    Raises:
        TypedError: its jitter is longer than its interval.
    """
    values = {**shared.values, **own}
    # The cadence of a target replaces the shared one, of whatever kind.
    for one, other in (("every", "cron"), ("cron", "every")):
        if one in own:
            values.pop(other, None)
    if "every" not in values and "cron" not in values:
        return None
    cadence = Cadence(values.get("every"), values.get("cron"), values.get("jitter", timedelta()))
    if cadence.every is not None and cadence.jitter >= cadence.every:
        raise TypedError("has a jitter that is not shorter than the interval")
    return TargetWatch(
        cadence,
        tier=values.get("tier"),
        limits=_limits(own),
        confirm_after=values.get("confirm-after", DEFAULT_CONFIRM_AFTER),
    )
