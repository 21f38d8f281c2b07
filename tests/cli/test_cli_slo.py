"""``--slo`` and the objectives of targets: shown, and decisive for the exit code alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.model import Conclusion

ONE = ("--select", "stop.*", "--tier", "smoke", "--out", "r", "--format", "json,html,junit")


def results() -> dict[str, object]:
    document: dict[str, object] = json.loads(Path("r/results.json").read_text())
    return document


def test_missed_objective_fails_a_conforming_run(command) -> None:
    ran = command("run", *ONE, "--slo", "stop=9,n=1")
    assert (ran.exit_code, results()["verdict"]) == (1, Conclusion.CONFORMING.value)
    assert "✗ missed" in ran.output
    assert "the most that was served is 4" in ran.output
    assert results()["exit_code"] == 1
    assert "objective.stop" in Path("r/junit.xml").read_text()
    assert 'id="objectives"' in Path("r/index.html").read_text()


def test_quiet_run_names_what_was_missed(command) -> None:
    ran = command("run", "-q", *ONE, "--slo", "stop=9")
    assert "\nObjectives missed: stop ≥ 9.\n" in ran.output


TWO = """
[targets.mine]
base-url = "http://fake.example/v1"
model = "tiny"

[targets.theirs]
base-url = "http://other.example/v1"
model = "large"
"""


@pytest.mark.parametrize("verbosity", [(), ("-q",), ("-v",)])
def test_each_target_names_what_it_missed(command, fake, verbosity: tuple[str, ...]) -> None:
    fake()
    Path("conformance.toml").write_text(f"{TWO}slo = {{stop = 9}}\n", "utf-8")
    ran = command("run", "--select", "stop.*", "--tier", "smoke", "--out", "r", *verbosity)
    assert ran.exit_code == 1
    told = "✗ missed" if verbosity == ("-v",) else "\ntheirs  Objectives missed: stop ≥ 9.\n"
    assert ran.output.count(told) == 1, ran.output
    assert "mine  Objectives missed" not in ran.output


def test_each_target_says_whether_clients_work(command, fake) -> None:
    fake()
    Path("conformance.toml").write_text(TWO, "utf-8")
    ran = command("run", "--profile", "continue", "--out", "r")
    assert ran.exit_code == 1
    for name in ("mine", "theirs"):
        assert f"\n{name}  Continue, autocomplete (provider openai): not ready\n" in ran.output


def test_undecided_objective_changes_no_exit_code(command) -> None:
    ran = command("run", *ONE, "--slo", "latency-p99=60")
    assert ran.exit_code == 0
    assert "it takes 299 or more to show it met" in ran.output


def test_record_keeps_objectives_when_judged_again(command) -> None:
    command("run", *ONE, "--slo", "stop=4")
    before = results()["objectives"]
    again = command("report", "r", "--rejudge", "--out", "again", "--format", "json")
    assert again.exit_code == 0
    assert json.loads(Path("again/results.json").read_text())["objectives"] == before


def test_wrong_objectives_are_one_sentence(command) -> None:
    for typed in ("2", "ttft-p95=x", "ttft-p95=1,ttft-p95=2", "speed=1"):
        ran = command("run", "--slo", typed)
        assert (ran.exit_code, ran.output.count("\n")) == (4, 1), ran.output
        assert "--slo" in ran.output
