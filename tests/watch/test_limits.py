"""Limits of a day end runs, are told once, and begin anew; what was paid for is not thrown away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.watch.watcher import Watcher
from tests.fake_server import KEY
from tests.watch.days import (
    MORNING,
    DayOverError,
    FakeClock,
    Receiver,
    a_target,
    in_memory,
    receiving,
    watcher_of,
)

HEAD = '[watch]\nevery = "4h"\ntier = "smoke"\n{more}\n'
HOOK = '[watch.notices.team]\nkind = "json"\nurl-env = "HOOK"\n'


def watched(tmp_path: Path, config: str, clock: FakeClock, receiver: Receiver) -> Watcher:
    """Watch until the clock's end, and return the watcher."""
    path = tmp_path / "conformance.toml"
    path.write_text(config, "utf-8")
    watcher = watcher_of(path, tmp_path / "history", clock, {"HOOK": receiver.url})
    with pytest.raises(DayOverError):
        asyncio.run(watcher.run(once=False))
    return watcher


def test_limit_of_target_is_told_daily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(until=MORNING + timedelta(days=2))
    ran = in_memory(monkeypatch, clock, lambda *_: "none", "stop.string")
    few = a_target("few", watch="{max-requests-per-day = 30}")
    with receiving() as receiver:
        watcher = watched(tmp_path, HEAD.format(more=HOOK) + few, clock, receiver)
    assert watcher.states["few"].spent.requests <= 30
    assert [(body["target"], body["at"][:10]) for body in receiver.bodies] == [
        ("few", "2026-12-01"),
        ("few", "2026-12-02"),
    ]
    assert "not enough is left" in receiver.bodies[0]["text"]
    # A run of one check costs few requests; one begins while a whole smoke run would fit.
    assert 2 <= len(ran) < 12


def test_limit_of_all_is_one_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(until=MORNING + timedelta(days=1))
    in_memory(monkeypatch, clock, lambda *_: "none", "stop.string")
    config = HEAD.format(more=f"max-requests-per-day = 60\n{HOOK}")
    config += "".join(map(a_target, ("one", "two", "three")))
    with receiving() as receiver:
        watcher = watched(tmp_path, config, clock, receiver)
    assert sum(state.spent.requests for state in watcher.states.values()) <= 60
    assert [body["target"] for body in receiver.bodies] == ["[watch]"]
    assert "limit of all targets" in receiver.bodies[0]["text"]


def test_record_is_kept_when_the_key_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(until=MORNING + timedelta(minutes=2))
    in_memory(monkeypatch, clock, lambda *_: "none", "stop.string")
    left = tmp_path / "history" / "watch" / "running" / "zero"
    left.mkdir(parents=True)
    (left / "run.ndjson").write_text('{"kind":"header"', "utf-8")
    config = HEAD.format(more=HOOK) + a_target("zero").replace('"KEY"', '"NO_KEY"')
    with receiving() as receiver:
        watched(tmp_path, config, clock, receiver)
    (kept,) = (tmp_path / "history" / "watch" / "set-aside").iterdir()
    assert (kept / "run.ndjson").exists()
    assert not left.exists()
    assert KEY not in (kept / "run.ndjson").read_text("utf-8")
