"""Shards on two processes, one killed, resumed and merged: as one quiet run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.record.ndjson import read_run
from conformance.targets.shards import Shard
from tests.fake_server import KEY
from tests.fleet.server import KEY_VARIABLE, Fleet, fleet

FAULTS = (
    "stop-included",
    "none",
    "n-ignored",
    "usage-completion-zero",
    "id-missing",
    "missing-model-accepted",
    "max-tokens-ignored",
    "finish-always-null",
    "none",
    "bare-error-envelope",
    "echo-dropped",
    "index-from-one",
    "stream-ignored",
    "batch-first-only",
    "temperature-null-refused",
    "plain-as-text",
    "none",
    "include-usage-ignored",
    "user-refused",
    "suffix-dropped",
)
# The server writes whole streams, so that what this check judges is the load of the machine.
WITHOUT_TIMES = ("--exclude", "streaming.incremental")
QUIET = (*WITHOUT_TIMES, "--reference", "none", "--no-progress", "--quiet", "--format", "json")
SECONDS = 1_800  # on a loaded machine; an idle one needs a tenth


def words_of(*words: str) -> list[str]:
    return [sys.executable, "-m", "conformance", *words]


def called(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ``conformance`` to its end."""
    return subprocess.run(
        words_of(*words), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def results_of(folder: Path) -> dict[str, Any]:
    """Return what a matrix says of its targets, without what differs between two quiet runs.

    Findings that others explain count nowhere, and which ones are left for that, or are skipped for
    the budget's sake, depends on which of the concurrent requests was answered first.
    """
    rows = json.loads((folder / "matrix.json").read_text("utf-8"))["targets"]
    kept = ("verdict", "because", "states", "tier", "common_states", "contract", "base_url")
    return {
        row["name"]: {
            **{name: row[name] for name in kept},
            "checks": set(row["verdicts"]),
            "findings": {
                check: verdict
                for check, verdict in row["verdicts"].items()
                if verdict not in {"pass", "skipped", "explained"}
            },
        }
        for row in rows
    }


def killed_in_the_middle(running: Fleet, after: int, *words: str) -> None:
    """Start a run, and kill it with SIGKILL when the endpoint has answered ``after`` requests."""
    running.gate.close_after(after)
    process = subprocess.Popen(
        words_of(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert running.gate.wait_until_held(SECONDS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    running.gate.open()


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("targets", "tier"),
    [(4, "smoke"), pytest.param(40, "standard", marks=pytest.mark.exhaustive)],
)
def test_killed_shard_is_resumed_and_merged(targets: int, tier: str, tmp_path: Path) -> None:
    names = {f"t{n:02}": FAULTS[n % len(FAULTS)] for n in range(targets)}
    config = tmp_path / "targets.toml"
    run = ("run", "--config", str(config), "--tier", tier, "--jobs", "3", *QUIET)
    with fleet(names) as running:
        running.write_targets(config)
        quiet = called(*run, "--out", "quiet")
        price, running.sent = running.sent, type(running.sent)()
        first = called(*run, "--shard", "1/2", "--out", "part-1")
        here = [name for name in names if Shard(2, 2).holds(name)]
        after = sum(price[name] for name in here) // 2
        killed_in_the_middle(running, after, *run, "--shard", "2/2", "--out", "part-2")
        broken = [read_run(record) for record in Path("part-2").glob("*/run.ndjson")]
        recorded = sum(len(one.exchanges) for one in broken)
        assert any(one.footer is None and one.exchanges for one in broken)
        second = called(*run, "--shard", "2/2", "--resume", "part-2")
        merged = called(
            "merge", "part-1", "part-2", "--config", str(config), "--out", "all", *SHOWN
        )
    assert merged.returncode == quiet.returncode == max(first.returncode, second.returncode) == 1
    assert results_of(Path("all")) == results_of(Path("quiet"))
    assert list(results_of(Path("all"))) == list(results_of(Path("quiet")))
    found = [one["findings"] for name, one in results_of(Path("all")).items() if name in names]
    assert sum(map(bool, found)) >= targets / 2
    lost = after - recorded
    assert running.sent.total() <= price.total() + lost + MOST_HELD
    assert running.sent.total() >= price.total()
    resumed = [one for one in map(read_run, Path("all").glob("*/run.ndjson")) if one.header.resumed]
    assert 1 <= len(resumed) <= 3  # as many as were in progress


SHOWN = ("--quiet", "--format", "json", "--no-progress")
MOST_HELD = 3 * 8
"""Requests in flight when the process was killed: those of three targets."""
