"""``conformance run`` at endpoints that never answer some requests, or reject all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import HostileServer, hostile_server


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


def results_of(command: Any, server: HostileServer, behaviour: str, *more: str) -> dict[str, Any]:
    named = ["--base-url", server.base_url(behaviour), "--model", "m", "--reference", "none"]
    command("run", *named, "--out", "out", *more)
    found: dict[str, Any] = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    return found


def seen_by(results: dict[str, Any], check: str) -> str:
    findings = {finding["id"]: finding for finding in results["findings"]}
    assert findings[check]["verdict"] == "fail"
    seen: str = findings[check]["seen"]
    return seen


CHOSEN = ("n.*", "envelope.*", "stop.string", "errors.good-input-whole-response")
SELECT = [word for glob in CHOSEN for word in ("--select", glob)]


@pytest.mark.exhaustive
def test_hang_of_a_parameter_is_a_failure(command, hostile, monkeypatch) -> None:
    monkeypatch.setattr("conformance.transport.retry.FIRST_WAIT_SECONDS", 0.01)
    more = ["--tier", "smoke", "--timeout", "1.5", *SELECT]
    results = results_of(command, hostile, "choices-hang", *more)
    seen = seen_by(results, "errors.good-input-whole-response")
    assert seen.startswith("none each time: `n` (no response in time; ")


def test_streams_without_end_are_a_failure(command, hostile, monkeypatch) -> None:
    monkeypatch.setattr("conformance.transport.retry.FIRST_WAIT_SECONDS", 0.01)
    select = ["--select", "streaming.*", "--select", "envelope.*", "--select", "errors.good*"]
    results = results_of(command, hostile, "streams-without-end", "--tier", "smoke", *select)
    seen = seen_by(results, "errors.good-input-whole-response")
    assert seen.startswith("none each time: `stream` (a response that breaks off; ")


def test_endpoint_that_rejects_everything_is_not_judged(command, hostile) -> None:
    hostile.calls["rejects-everything"] = 0
    results = results_of(command, hostile, "rejects-everything", "--tier", "smoke")
    assert results["verdict"] == "could not judge"
    assert "rejects the minimal request (400: Invalid parameter value)" in results["because"]
    assert results["findings"] == []
    assert hostile.calls["rejects-everything"] == 3
