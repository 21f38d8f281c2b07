"""``conformance documents --only replay``: output, key and exit code."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.docs_audit.replay import STAND_IN
from tests.clients.scripted_endpoint import JSON, KEY, ScriptedResponse, endpoint_that, response_to
from tests.npm import installed

Replay = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """Run the command in an empty folder."""
    packages = str(installed(Path(__file__).parent))

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        always = ("documents", "--only", "replay", "--node-modules", packages)
        return subprocess.run(
            [sys.executable, "-m", "conformance", *always, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
            env={**os.environ, "RELAY_KEY": KEY, "COLUMNS": "200", **settings},
        )

    return run


def right(request: Mapping[str, Any]) -> ScriptedResponse:
    return 200, JSON, json.dumps(response_to(request)).encode()


def wrong(request: Mapping[str, Any]) -> ScriptedResponse:
    response = response_to(request)
    response["object"] = f"\x1b[31m{KEY}\x1b[0m"
    return 200, JSON, json.dumps(response).encode()


def test_examples_are_replayed_against_their_dialect(
    replay: Replay,
) -> None:
    ended = replay("gpt-ge", "eronmind", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    documents = json.loads(ended.stdout)["documents"]
    assert {
        one["document"]: [(r["example"], r["outcome"]) for r in one["replays"]] for one in documents
    } == {
        "gpt-ge": [("curl", "met"), ("fetch", "met"), ("requests", "met")],
        "eronmind": [("the schema's example", "met")],
    }
    # The user sees what the command waits for.
    assert "gpt-ge: sending 3 examples to the bundled server" in ended.stderr


def test_named_endpoint_gets_the_named_model(replay: Replay) -> None:
    heard: list[Any] = []
    with endpoint_that(right, heard) as endpoint:
        at = ("--base-url", endpoint.base_url, "--model", "tiny", "--api-key-env", "RELAY_KEY")
        ended = replay("zero", *at)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [request.body["model"] for request in heard] == ["tiny"] * 3
    # What it can cost is said before it is spent.
    assert "sending 3 requests, at most 248 tokens at 127.0.0.1" in ended.stderr
    assert "✓ met  openai-python, a batch of prompts  openai (PyPI) " in ended.stdout


def test_broken_promise_ends_with_1_without_the_key(replay: Replay) -> None:
    with endpoint_that(wrong) as endpoint:
        ended = replay("zero", "--base-url", endpoint.base_url, "--api-key-env", "RELAY_KEY")
    assert ended.returncode == 1
    assert "✗ not met  curl  curl " in ended.stdout
    assert ", 10 expectations\n" in ended.stdout
    assert 'expected object = "text_completion"' in ended.stdout
    assert "$API_KEY" in ended.stdout
    for printed in (ended.stdout, ended.stderr):
        assert KEY not in printed
        assert "\x1b" not in printed


@pytest.mark.parametrize(("strict", "code"), [((), 0), (("--strict",), 1)], ids=str)
def test_unsendable_examples_are_shown_as_not_run(
    replay: Replay, tmp_path: Path, strict: tuple[str, ...], code: int
) -> None:
    # Nothing is on the path: neither curl nor Node; the server needs neither.
    ended = replay("gpt-ge", *strict, PATH=str(tmp_path))
    assert ended.returncode == code, ended.stderr
    assert "○ not run  curl  curl" in ended.stdout
    assert "curl is not installed: install it with the system's package manager" in ended.stdout
    assert "○ not run  fetch" in ended.stdout
    assert "✓ met  requests  requests (PyPI)" in ended.stdout


PAGE_OF_ONES_OWN = """
document: mine
title: A page of one's own
endpoint: http://127.0.0.1/v1/completions
parameters:
  - {name: model}
  - {name: max_tokens, type: integer, default: inf}
examples:
  - name: a summary
    client: curl
    request: {model: m, prompt: "Sum up: ${long_text}"}
"""


def test_custom_page_is_sent_to_a_custom_endpoint(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PAGE_OF_ONES_OWN, "utf-8")
    heard: list[Any] = []
    with endpoint_that(right, heard) as endpoint:
        ended = replay("mine.yaml", "--base-url", endpoint.base_url)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (request,) = heard
    assert request.body == {"model": "m", "prompt": f"Sum up: {STAND_IN}"}
    assert "with placeholder text for long_text, a variable in the page's code" in ended.stdout
    tokens = len(request.body["prompt"]) + 1
    said = f"at most {tokens} tokens, plus the output of 1 request without max_tokens at 127.0.0.1"
    assert f"mine: sending 1 request, {said}" in ended.stderr


def test_time_for_an_example_can_be_chosen(replay: Replay) -> None:
    released = threading.Event()

    def silent(request: Mapping[str, Any]) -> ScriptedResponse:
        released.wait(60)
        return right(request)

    with endpoint_that(silent) as endpoint:
        ended = replay("eronmind", "--base-url", endpoint.base_url, "--timeout", "1")
        released.set()
    assert ended.returncode == 1
    assert "actual   timeout after 1 s" in ended.stdout


def test_interrupt_ends_the_command_and_its_client(tmp_path: Path) -> None:
    body, released = threading.Event(), threading.Event()

    def silent(request: Mapping[str, Any]) -> ScriptedResponse:
        body.set()
        released.wait(60)
        return right(request)

    with endpoint_that(silent) as endpoint:
        words = ("documents", "eronmind", "--only", "replay", "--base-url", endpoint.base_url)
        command = subprocess.Popen(
            [sys.executable, "-m", "conformance", *words],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert body.wait(60)
        (client,) = children_of(command.pid)
        # A descriptor of the client's process becomes readable when the process has ended.
        running = os.pidfd_open(client)
        try:
            command.send_signal(signal.SIGINT)
            _, errors = command.communicate(timeout=60)
            assert select.select([running], [], [], 60)[0], "the client is still running"
        finally:
            os.close(running)
            released.set()
    assert command.returncode == 2
    assert errors.endswith("conformance: interrupted\n")


def children_of(pid: int) -> list[int]:
    """Name the processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
