"""The command as a process: exit codes, signals, pipes and messages without tracebacks."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conformance.record.ndjson import read_run
from tests.cli.endpoints import ScriptedResponse, serving

SMOKE = ("--model", "tiny", "--tier", "smoke", "--out", "out")


def judged(process, base_url: str):
    finished = process("run", "--base-url", base_url, *SMOKE)
    assert "Traceback" not in finished.stdout + finished.stderr
    return finished


def because(folder: Path) -> str:
    return json.loads((folder / "out" / "results.json").read_text())["because"]


def test_bundled_server_is_started_and_stopped_by_default(process, tmp_path: Path) -> None:
    finished = process("run", "--tier", "smoke", "--out", "out")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    header = read_run(tmp_path / "out" / "run.ndjson").header
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(header.base_url).port or 0))
    assert "$REFERENCE_SERVER_API_KEY" in (tmp_path / "out" / "index.html").read_text()


ONE_CHECK = ("--select", "max-tokens.unlimited", "--out", "out")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--contract", "zhizengzeng"), 0),
        (("--contract", "zhizengzeng", "--dialect", "openai"), 1),
    ],
)
def test_bundled_server_emulates_the_contract_by_default(
    process, words: tuple[str, ...], code: int
) -> None:
    finished = process("run", *words, *ONE_CHECK)
    assert finished.returncode == code, finished.stdout + finished.stderr
    assert f"the bundled server emulates {words[-1]}" in finished.stderr


def test_named_endpoint_has_no_dialect(process) -> None:
    words = ("--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--dialect", "zero")
    finished = process("run", *words)
    assert finished.returncode == 4
    assert "--dialect applies only to the bundled server" in finished.stderr


def test_unreachable_endpoint_ends_the_run(process, tmp_path: Path) -> None:
    finished = judged(process, "http://127.0.0.1:1/v1")
    assert finished.returncode == 3
    assert "Inconclusive." in finished.stdout
    assert "127.0.0.1:1" in because(tmp_path)


def test_html_response_ends_the_run(process, tmp_path: Path) -> None:
    page = ScriptedResponse(b"<!doctype html><title>Welcome</title>", content_type="text/html")
    with serving(lambda: page) as base_url:
        finished = judged(process, base_url)
    assert finished.returncode == 3
    assert "returned an HTML page" in because(tmp_path)
    assert read_run(tmp_path / "out" / "run.ndjson").exchanges


def test_wrong_key_ends_the_run(process, tmp_path: Path) -> None:
    refusal = ScriptedResponse(b'{"error":{"message":"Incorrect API key provided"}}', status=401)
    with serving(lambda: refusal) as base_url:
        finished = judged(process, base_url)
    assert finished.returncode == 3
    assert "401" in because(tmp_path)


def test_endpoint_with_a_constant_response_fails(process, tmp_path: Path) -> None:
    with serving(ScriptedResponse) as base_url:
        finished = judged(process, base_url)
    assert finished.returncode == 1
    assert finished.stdout.splitlines()[-1] == str(Path("out", "index.html"))
    assert (tmp_path / "out" / "index.html").stat().st_size > 0


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_keeps_its_results(stop: signal.Signals, tmp_path: Path) -> None:
    request, release = threading.Semaphore(0), threading.Event()
    first = threading.Lock()

    def answer_once() -> ScriptedResponse:
        if not first.acquire(blocking=False):
            request.release()
            release.wait()
        return ScriptedResponse()

    with serving(answer_once) as base_url:
        words = [sys.executable, "-m", "conformance", "run", "--base-url", base_url, *SMOKE]
        started = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        request.acquire()
        started.send_signal(stop)
        stdout, stderr = started.communicate(timeout=60)
        release.set()
    assert started.returncode == 2
    assert "Traceback" not in stdout + stderr
    assert "Incomplete." in stdout
    run = read_run(tmp_path / "out" / "run.ndjson")
    assert run.footer is None
    assert len(run.exchanges) >= 1
    assert "This run is incomplete" in (tmp_path / "out" / "index.html").read_text()


def test_broken_pipe_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        finished = subprocess.run(
            [sys.executable, "-m", "conformance", "list"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert finished.stderr == ""
    assert finished.returncode == 2


def test_ascii_terminal_gets_question_marks(process) -> None:
    finished = process("explain", "stop.five-refused", PYTHONIOENCODING="ascii")
    assert finished.returncode == 0
    assert "stop.at-most-four" in finished.stdout


def test_wrong_usage_ends_with_4_and_empty_output(process) -> None:
    finished = process("run", "--rate", "-1")
    assert (finished.returncode, finished.stdout) == (4, "")
    assert finished.stderr.startswith("conformance: ")


def test_selection_of_nothing_ends_with_5(process) -> None:
    assert process("run", "--select", "no-such-area.*").returncode == 5


INTERRUPTED_DURING = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
runpy.run_module("conformance", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["click", "conformance.model"])
def test_interrupted_import_has_no_traceback(module: str) -> None:
    words = [sys.executable, "-c", INTERRUPTED_DURING, module, "--version"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "conformance: interrupted\n"
