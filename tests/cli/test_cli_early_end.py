"""Runs that end at a number of failures, and what a terminal shows of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.record.ndjson import read_run
from tests.fake_server import FakeServer

RUN = (
    *("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "gpt-3.5-turbo-instruct"),
    *("--tier", "smoke", "--concurrency", "1", "--out", "out"),
)


@pytest.fixture
def broken(fake) -> None:
    """Let every run meet an endpoint without ids and models in its responses."""
    fake(
        lambda contract, _: FakeServer(
            "id-missing", contract.name, inner=FakeServer("model-missing", contract.name)
        )
    )


def test_run_ends_at_max_failures(command, broken) -> None:
    whole = command(*RUN[:-1], "whole")
    early = command(*RUN, "--max-failures", "1")
    assert whole.exit_code == early.exit_code == 1
    assert "the run was to end at 1 failures" not in whole.output
    assert "The run ended early; the rest is untested." in early.output
    run = read_run(Path("out/run.ndjson"))
    assert run.footer is not None
    assert run.footer.is_stopped
    assert len(run.exchanges) < len(read_run(Path("whole/run.ndjson")).exchanges)
    assert not json.loads(Path("out/results.json").read_text())["complete"]


def test_run_with_fewer_failures_is_complete(command, broken) -> None:
    result = command(*RUN, "--max-failures", "90")
    assert result.exit_code == 1
    assert json.loads(Path("out/results.json").read_text())["complete"]


def test_expected_failures_end_no_run(command, broken) -> None:
    assert command(*RUN[:-1], "listed", "--expected", "e.yaml", "--expected-update").exit_code == 0
    file = Path("e.yaml")
    file.write_text(file.read_text("utf-8").replace("TODO", "known"), "utf-8")
    result = command(*RUN, "--expected", "e.yaml", "--max-failures", "1")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("out/results.json").read_text())["complete"]


@pytest.mark.parametrize(
    ("options", "has_colours"),
    [((), False), (("--color", "always"), True), (("--color", "never"), False)],
)
def test_colours_are_chosen(process, options: tuple[str, ...], has_colours: bool) -> None:
    done = process("run", "--dialect", "reference", "--select", "envelope.id", *options)
    assert done.returncode == 0
    assert ("\x1b[" in done.stdout) == has_colours
