"""When a target is due: intervals, cron, jitter, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conformance.targets.watching import Cadence
from conformance.watch.cadence import due_at, next_slot, used_slot

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOURS = Cadence(every=timedelta(hours=6))
DAILY = Cadence(cron="17 4 * * *")


def test_interval_begins_when_first_seen() -> None:
    assert next_slot(HOURS, last=None, since=NOON, zone=UTC) == NOON
    assert next_slot(HOURS, last=NOON, since=NOON, zone=UTC) == NOON + timedelta(hours=6)


def test_missed_slots_are_made_up_once() -> None:
    late = NOON + timedelta(hours=20)
    slot = next_slot(HOURS, last=NOON, since=NOON, zone=UTC)
    used = used_slot(HOURS, slot, now=late, zone=UTC)
    assert used == NOON + timedelta(hours=18)
    assert next_slot(HOURS, last=used, since=NOON, zone=UTC) > late


def test_cron_is_read_in_its_zone() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    slot = next_slot(DAILY, last=None, since=NOON, zone=shanghai)
    assert slot == datetime(2026, 12, 1, 20, 17, tzinfo=UTC)
    assert next_slot(DAILY, last=slot, since=NOON, zone=shanghai) == slot + timedelta(days=1)


def test_cron_makes_up_for_missed_days_once() -> None:
    slot = next_slot(DAILY, last=None, since=NOON, zone=UTC)
    late = slot + timedelta(days=5, hours=1)
    assert used_slot(DAILY, slot, now=late, zone=UTC) == slot + timedelta(days=5)
    assert used_slot(DAILY, slot, now=slot, zone=UTC) == slot


@pytest.mark.parametrize("cadence", [HOURS, DAILY])
def test_jitter_is_the_same_after_a_restart(cadence: Cadence) -> None:
    jittered = Cadence(cadence.every, cadence.cron, timedelta(minutes=10))
    dues = {due_at(jittered, NOON, f"t{number}") for number in range(50)}
    assert dues == {due_at(jittered, NOON, f"t{number}") for number in range(50)}
    assert len(dues) > 30
    assert all(NOON <= due <= NOON + timedelta(minutes=10) for due in dues)
    assert due_at(cadence, NOON, "t") == NOON
