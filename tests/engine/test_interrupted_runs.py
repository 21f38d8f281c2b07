"""A run ends soon after a signal, whatever the endpoint sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.model import ExitCode
from conformance.record.ndjson import read_run
from tests.hostile import HostileServer, hostile_server
from tests.hostile.server import BEHAVIOURS, Call

FEW_SECONDS = 20
"""For the end of a run and its report; a loaded machine needs several times as long as an idle one,
and a run that a signal does not end takes minutes."""

NAMES = ("small-objects", "million-choices", "empty-events", "never-responds")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(call: Call) -> None:
        if call.json.get("max_tokens") == 1:
            call.respond_ok()
        else:
            time.sleep(60)

    monkeypatch.setitem(BEHAVIOURS, "never-responds", never)


def begun(server: HostileServer, name: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a run and wait until it has sent several requests."""
    before = server.calls[name]
    words = ["--base-url", server.base_url(name), "--model", "m", "--out", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance", "run", *words, "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"},
    )
    until = time.monotonic() + 3 * FEW_SECONDS
    while server.calls[name] < before + 4 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return process


def assert_ends(process: subprocess.Popen[bytes], folder: Path) -> None:
    output, _ = process.communicate(timeout=FEW_SECONDS)
    assert process.returncode == ExitCode.INTERRUPTED, output[-2_000:]
    assert b"Traceback" not in output
    assert b"should not have" not in output
    run = read_run(folder / "run.ndjson")
    assert run.footer is None
    assert run.exchanges


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_run(server: HostileServer, signal_number: int, tmp_path: Path) -> None:
    process = begun(server, "never-responds", tmp_path)
    process.send_signal(signal_number)
    assert_ends(process, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_signal_ends_any_run(
    server: HostileServer, name: str, after: float, signal_number: int, tmp_path: Path
) -> None:
    process = begun(server, name, tmp_path)
    time.sleep(after)
    if process.poll() is None:
        process.send_signal(signal_number)
        process.communicate(timeout=FEW_SECONDS)
    assert process.returncode in {ExitCode.INTERRUPTED, ExitCode.NOT_CONFORMING, ExitCode.UNDECIDED}


@pytest.mark.exhaustive
def test_second_interrupt_ends_at_once(server: HostileServer, tmp_path: Path) -> None:
    process = begun(server, "never-responds", tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    started = time.monotonic()
    process.communicate(timeout=FEW_SECONDS)
    assert time.monotonic() - started < FEW_SECONDS / 2
