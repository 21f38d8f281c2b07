"""Runs on the workers of a Dask cluster: workers are lost, commands end, keys stay there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from conformance.record.ndjson import read_run
from tests.fake_server import KEY
from tests.fleet.machines import dask, wait_for
from tests.fleet.server import KEY_VARIABLE, Fleet, fleet
from tests.fleet.test_interrupted_fleet import (
    FAULTS,
    MOST_HELD,
    QUIET,
    SECONDS,
    called,
    results_of,
    words_of,
)

TWO = ("--nthreads", "2")
SMOKE = ("--tier", "smoke", "--config", "targets.toml", *QUIET)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def serving(targets: int) -> Iterator[Fleet]:
    with fleet({f"t{n:02}": FAULTS[n % len(FAULTS)] for n in range(targets)}) as running:
        running.write_targets(Path("targets.toml"))
        yield running


def started(*words: str) -> subprocess.Popen[str]:
    """Start ``conformance`` in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        words_of(*words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def wait_until_still(running: Fleet) -> None:
    """Wait until all requests in flight are held, and what was answered is with the command."""
    assert running.gate.wait_until_held(SECONDS)
    before = 0
    while before < (before := running.gate.waiting):
        time.sleep(1)


def sent_by(running: Fleet, action: Callable[[], object]) -> int:
    running.sent.clear()
    action()
    return running.sent.total()


@pytest.mark.parametrize(
    ("targets", "tier"),
    [(6, "smoke"), pytest.param(40, "standard", marks=pytest.mark.exhaustive)],
)
def test_lost_worker_costs_what_was_in_flight(targets: int, tier: str) -> None:
    run = ("run", "--tier", tier, "--config", "targets.toml", *QUIET)
    with serving(targets) as running:
        price = sent_by(running, lambda: called(*run, "--out", "quiet"))
        running.sent.clear()
        running.gate.close_after(price // 2)
        process = started(*run, "--scheduler", "local:2", "--out", "spread")
        wait_until_still(running)
        lost, other = workers_of(process)
        lost.send_signal(signal.SIGKILL)
        assert other.is_running()
        running.gate.open()
        _, told = process.communicate(timeout=SECONDS)
        sent = running.sent.total()
    assert process.returncode == 1, told
    assert results_of(Path("spread")) == results_of(Path("quiet"))
    runs = list(map(read_run, Path("spread").glob("*/run.ndjson")))
    assert len(runs) == targets
    assert all(run.footer for run in runs)
    assert any(run.header.resumed for run in runs)
    assert price <= sent <= price + MOST_HELD


@pytest.mark.exhaustive
def test_interrupted_run_is_resumed_without_the_cluster() -> None:
    with serving(4) as running:
        price = sent_by(running, lambda: called("run", *SMOKE, "--out", "quiet"))
        running.sent.clear()
        running.gate.close_after(price // 2)
        process = started("run", *SMOKE, "--scheduler", "local:2", "--out", "spread")
        wait_until_still(running)
        workers = workers_of(process)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
        assert not any(worker.is_running() for worker in workers)
        running.gate.open()
        broken = [read_run(record) for record in Path("spread").glob("*/run.ndjson")]
        resumed = called("run", *SMOKE, "--resume", "spread")
    assert process.returncode in {1, 2}, told  # one may have ended, and does not conform
    assert any(run.footer is None for run in broken)
    assert "Traceback" not in told
    assert resumed.returncode == 1
    assert results_of(Path("spread")) == results_of(Path("quiet"))
    assert price <= running.sent.total() <= price + 4 * 8  # four targets in parallel


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """A scheduler and a worker in this process, in the region ``eu``."""
    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp://",
        dashboard_address=None,
        worker_dashboard_address=None,
        resources={"eu": 1},
        silence_logs=50,
    ) as running:
        yield running


@pytest.mark.exhaustive
def test_workers_stop_when_the_command_is_killed(cluster: LocalCluster) -> None:
    with serving(4) as running:
        running.gate.close_after(30)
        process = started(
            "run", *SMOKE, "--scheduler", cluster.scheduler_address, "--out", "spread"
        )
        wait_until_still(running)
        process.kill()
        process.wait()
        process.stderr and process.stderr.close()
        wait_for(lambda: not cluster.scheduler.tasks)
        time.sleep(2)  # twice as long as a worker takes to notice
        running.gate.open()
        time.sleep(1)
        assert running.sent.total() <= 30 + MOST_HELD
        resumed = called("run", *SMOKE, "--resume", "spread")
    assert resumed.returncode == 1
    assert all(run.footer for run in map(read_run, Path("spread").glob("*/run.ndjson")))


def test_options_of_one_machine_are_checked() -> None:
    with serving(1):
        few = called("run", *SMOKE, "--scheduler", "local:8", "--jobs", "3", "--out", "few")
        far = called("run", *SMOKE, "--scheduler", "tcp://here:1", "--jobs", "3", "--out", "far")
        url = ("--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--scheduler", "local")
        one = called("run", *url)
    assert [few.returncode, far.returncode, one.returncode] == [4, 4, 4]
    assert "starts 8 processes, and --jobs 3 tests fewer targets in parallel" in few.stderr
    assert "each worker of tcp://here:1 tests as many targets" in far.stderr
    assert "--scheduler divides the targets of a file among workers" in one.stderr
    assert not Path("few").exists()


@pytest.mark.exhaustive
def test_lost_scheduler_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(2) as running, dask("scheduler", log=Path("scheduler.log")) as (found, address):
        with dask("worker", address, *TWO, log=Path("worker.log")):
            running.gate.close_after(10)
            process = started("run", *SMOKE, "--scheduler", address, "--out", "lost")
            wait_until_still(running)
            found.send_signal(signal.SIGKILL)
            _, told = process.communicate(timeout=SECONDS)
            running.gate.open()
        resumed = called("run", *SMOKE, "--resume", "lost")
    assert process.returncode == 3, told
    assert "Traceback" not in told
    assert f"connection to the scheduler at {address} was lost; --resume DIR goes on" in told
    assert resumed.returncode == 1
    assert all(run.footer for run in map(read_run, Path("lost").glob("*/run.ndjson")))


def test_a_region_needs_its_workers(cluster: LocalCluster) -> None:
    where = ("--scheduler", cluster.scheduler_address)
    with serving(2) as running:
        refused = called("run", *SMOKE, *where, "--region", "us", "--out", "us")
        assert running.sent.total() == 0
        served = called("run", *SMOKE, *where, "--region", "eu", "--out", "eu")
    assert refused.returncode == 4
    assert "no worker at tcp://127.0.0.1:" in refused.stderr
    assert "is in the region us of target t01; start `dask worker" in refused.stderr
    assert "--resources us=1`" in refused.stderr
    assert served.returncode == 1
    regions = {run.header.region for run in map(read_run, Path("eu").glob("*/run.ndjson"))}
    assert regions == {"eu"}


def test_keys_stay_on_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    with (
        serving(2) as running,
        dask("scheduler", log=Path("scheduler.log")) as (scheduler, address),
    ):
        here = ("--scheduler", address, "--out")
        no_worker = called("run", *SMOKE, *here, "none")
        with dask("worker", address, *TWO, log=Path("worker.log")):
            not_set = called("run", *SMOKE, *here, "not-set")
        assert running.sent.total() == 0
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        with dask("worker", address, *TWO, log=Path("worker.log")) as (worker, _):
            monkeypatch.delenv(KEY_VARIABLE)
            tested = called("run", *SMOKE, *here, "tested")
            assert contains(worker.pid, KEY)
            assert not contains(scheduler.pid, KEY)
    assert no_worker.returncode == 4
    assert f"has no worker; start `dask worker {address}`" in no_worker.stderr
    assert not_set.returncode == 3
    assert re.search(
        rf"On the worker tcp://\S+: Environment variable {KEY_VARIABLE} is not set", not_set.stderr
    )
    assert tested.returncode == 1, tested.stderr
    assert all(run.footer for run in map(read_run, Path("tested").glob("*/run.ndjson")))
    written = [path for path in Path().rglob("*") if path.is_file() and path.name != "core"]
    assert {path.name for path in written} >= {"run.ndjson", "scheduler.log"}
    assert [str(path) for path in written if KEY.encode() in path.read_bytes()] == []


def contains(pid: int, text: str) -> bool:
    """Return whether the writable memory of a process has a text."""
    pages = Path(f"/proc/{pid}/maps").read_text("ascii").splitlines()
    wanted = text.encode()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in pages:
            span, rights, *_, name = f"{line} ".split(" ")
            del name
            if "rw" not in rights or "[vvar" in line:
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            memory.seek(begin)
            if wanted in (memory.read(end - begin) or b""):
                return True
    return False
