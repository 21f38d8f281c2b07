"""When a target is due; pure.

A *slot* is a time at which a target is due by its cadence alone; jitter comes on top of it. What
was missed while nothing ran is made up for once, not as often as it was missed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim

from conformance.targets.watching import Cadence


def next_slot(
    cadence: Cadence, *, last: datetime | None, since: datetime, zone: tzinfo
) -> datetime:
    """Return the first slot that was not used, in UTC; it may have passed.

    Args:
        cadence: the target's.
        last: the slot of the last run that the cadence started; None if there was none.
        since: when the target was first seen, at which an interval begins.
        zone: of the cron expression.
    """
    if cadence.every is not None:
        return since if last is None else last + cadence.every
    assert cadence.cron is not None  # noqa: S101 - a cadence has one of both
    after = since - timedelta(seconds=1) if last is None else last
    found: datetime = next(CronSim(cadence.cron, after.astimezone(zone)))
    return found.astimezone(UTC)


def used_slot(cadence: Cadence, slot: datetime, *, now: datetime, zone: tzinfo) -> datetime:
    """Return the slot that a run which starts now stands for: the last one of those missed."""
    if cadence.every is not None:
        return slot + max(0, (now - slot) // cadence.every) * cadence.every
    assert cadence.cron is not None  # noqa: S101 - a cadence has one of both
    after = now.astimezone(zone) + timedelta(seconds=1)
    found: datetime = next(CronSim(cadence.cron, after, reverse=True))
    return max(slot, found.astimezone(UTC))


def due_at(cadence: Cadence, slot: datetime, name: str) -> datetime:
    """Return when a slot is due, with its jitter: the same after each restart.

    Args:
        cadence: the target's.
        slot: the slot.
        name: of the target.
    """
    if not cadence.jitter:
        return slot
    seed = f"{name} {int(slot.timestamp())}".encode()
    share = int.from_bytes(hashlib.sha256(seed).digest()[:4]) / 2**32
    return slot + timedelta(seconds=int(cadence.jitter.total_seconds() * share))
