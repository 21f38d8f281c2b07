"""Starting and stopping the bundled server, here replaced by a few lines of Python."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from conformance.targets.bundled import EXTRA, KEY_VARIABLE, BundledServerError, bundled_server

LISTENS = """
import os, sys, time
print("Listening on http://127.0.0.1:4711/v1")
time.sleep(60)
"""
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{LISTENS}"
NOT_INSTALLED = "import nothing_of_that_name"
INCOMPLETE = "import sys; sys.exit('onnxruntime is missing; install the extra [server]')"
BREAKS = "import sys; print('details', file=sys.stderr); sys.exit('port 80 is taken')"
SILENT = ""
TELLS_ITS_KEY = f"import os; print('Listening on', os.environ[{KEY_VARIABLE!r}]); input()"

TELLS_ITS_WORDS = "import sys; print('Listening on', *sys.argv[1:], flush=True); input()"

RUNS_ONE = """
from conformance.targets.bundled import bundled_server
with bundled_server() as server:
    print(server.pid, flush=True)
    input()
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_server_runs_until_the_block_ends() -> None:
    with bundled_server(python(LISTENS)) as server:
        assert server.base_url == "http://127.0.0.1:4711/v1"
        assert server.model == "gpt-3.5-turbo-instruct"
        assert is_running(server.pid)
    assert not is_running(server.pid)


def test_server_options_are_passed_on() -> None:
    with bundled_server(python(TELLS_ITS_WORDS)) as server:
        assert server.base_url == "--dialect reference"
    with bundled_server(python(TELLS_ITS_WORDS), dialect="zero") as server:
        assert server.base_url == "--dialect zero"


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_server_is_stopped_after_an_error(
    interruption: type[BaseException],
) -> None:
    with pytest.raises(interruption), bundled_server(python(LISTENS)) as server:
        raise interruption
    assert not is_running(server.pid)


def test_unresponsive_server_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.targets.bundled.STOP_SECONDS", 0.1)
    with bundled_server(python(STUBBORN)) as server:
        pass
    assert not is_running(server.pid)


def test_server_does_not_outlive_a_killed_run() -> None:
    with subprocess.Popen(python(RUNS_ONE), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        # A descriptor of the server process becomes readable when the process has ended.
        server = os.pidfd_open(int(run.stdout.readline()))
        try:
            run.kill()
            assert select.select([server], [], [], 60)[0], "the server is still running"
        finally:
            os.close(server)


def test_each_server_has_a_separate_hidden_key() -> None:
    keys = set()
    for _ in range(2):
        with bundled_server(python(TELLS_ITS_KEY)) as server:
            assert server.base_url == server.api_key
            assert f"api_key={server.api_key!r}" not in repr(server)
            keys.add(server.api_key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (NOT_INSTALLED, f"the bundled reference server is not installed; run: {EXTRA}"),
        (INCOMPLETE, f"the bundled reference server is not installed; run: {EXTRA}"),
        (BREAKS, "the bundled reference server did not start: port 80 is taken"),
        (SILENT, "the bundled reference server did not start: it exited without a message"),
    ],
)
def test_failed_start_is_reported_in_a_sentence(program: str, sentence: str) -> None:
    with pytest.raises(BundledServerError) as caught, bundled_server(python(program)):
        pass
    assert str(caught.value) == sentence
