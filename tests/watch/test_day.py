"""A day of simulated time against endpoints that break and recover."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conformance.history import History
from tests.watch.days import (
    MORNING,
    DayOverError,
    FakeClock,
    a_target,
    in_memory,
    receiving,
    watcher_of,
)

CONFIG = """
[watch]
every = "4h"
tier = "smoke"
confirm-after = "10m"

[watch.notices.team]
kind = "json"
url-env = "HOOK"

"""
STEADY, BREAKS, FLAPS, FEW = "steady", "breaks", "flaps", "few"
SELECT = ("stop.five-refused", "stop.string")


def hour(at: datetime) -> float:
    return (at - MORNING).total_seconds() / 3600


def fault_of(name: str, at: datetime) -> str:
    """The one breaks at 6:00 and recovers at 17:00; the other is wrong for one run only."""
    if name == BREAKS and 6 <= hour(at) < 17:
        return "over-four-truncated"
    if name == FLAPS and 8 <= hour(at) < 8.1:
        return "over-four-truncated"
    return "none"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "conformance.toml"
    tables = [a_target(name) for name in (STEADY, BREAKS, FLAPS)]
    few = a_target(FEW, watch="{max-requests-per-day = 60}")
    path.write_text(CONFIG + "".join(tables) + few, "utf-8")
    return path


def test_day_sends_exactly_the_notices_due(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "history"
    clock = FakeClock(until=MORNING + timedelta(hours=10.5))
    ran = in_memory(monkeypatch, clock, fault_of, *SELECT)
    with receiving() as receiver:
        environment = {"HOOK": receiver.url}
        with pytest.raises(DayOverError):
            asyncio.run(watcher_of(config, folder, clock, environment).run(once=False))
        # The process ends and another one goes on, as after a restart of the machine.
        clock.until = MORNING + timedelta(days=1)
        with pytest.raises(DayOverError):
            asyncio.run(watcher_of(config, folder, clock, environment).run(once=False))
    told = [
        (body["target"], [(one["kind"], one["check"]) for one in body["news"]], hour_of(body))
        for body in receiver.bodies
    ]
    assert told == [
        (BREAKS, [("regression", "stop.five-refused")], "08:10"),
        (BREAKS, [("recovery", "stop.five-refused")], "20:10"),
    ]
    # Six slots each; two changes of one and two of the other were looked at once more.
    assert {name: ran.count(name) for name in ran} == {STEADY: 6, BREAKS: 8, FLAPS: 7, FEW: 6}
    with History(folder).index() as index:
        assert len(index.entries()) == 27


def hour_of(body: dict[str, str]) -> str:
    return datetime.fromisoformat(body["at"]).strftime("%H:%M")
