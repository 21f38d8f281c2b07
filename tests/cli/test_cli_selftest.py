"""``conformance selftest``: tables, machine-readable output and exit codes."""

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import CONTRACTS
from conformance.model import Tier
from conformance.selftest.outcome import Outcome
from conformance.selftest.trials import Trial
from conformance.selftest.workers import WorkerError
from conformance.targets.bundled import BundledServerError
from tests.selftest.builders import COST, a_remark

FAULTS = [
    {
        "name": name,
        "area": "stop",
        "requirements": ["stop.string"],
        "summary": "`stop` is dropped.",
        "modifiers": ["stream"],
    }
    for name in ("dropped", "late")
]
VARIANTS = [{"name": "crlf", "summary": "Lines end with CRLF."}]

CORRECT = 2 + len(CONTRACTS)
"""Servers that conform: the reference, a variant, and a dialect of each contract."""

FAULTY = 6
"""Runs against the two faults: at two tiers, and under a trigger at one more."""

# The package has the command itself under this name.
command_module = importlib.import_module("conformance.cli.selftest")

Judge = Callable[[Trial], Outcome]


def sound(trial: Trial) -> Outcome:
    """Find every fault, without false positives."""
    verdict = "pass" if trial.name in {"crlf", "reference"} or trial.dialect != "reference" else ""
    return Outcome(trial, (a_remark(verdict=verdict or "fail"),), COST, 1.0)


def blind(trial: Trial) -> Outcome:
    return Outcome(trial, (a_remark(verdict="pass"),), COST, 1.0)


def angry(trial: Trial) -> Outcome:
    return Outcome(trial, (a_remark(message="expected a; seen \x1b[2J"),), COST, 1.0)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Judge], None]:
    """Let a small catalogue be judged without a server."""
    listed = {"faults": json.dumps(FAULTS), "variants": json.dumps(VARIANTS)}
    monkeypatch.setattr(command_module, "list_bundled", listed.__getitem__)

    def replace(judge: Judge) -> None:
        def outcomes(trials: Sequence[Trial], jobs: int) -> Iterator[Outcome]:
            yield from map(judge, trials)

        monkeypatch.setattr(command_module, "outcomes_of", outcomes)

    return replace


def test_sound_suite_ends_with_0(command, judged) -> None:
    judged(sound)
    result = command("selftest")
    assert result.exit_code == 0, result.output
    assert "Detected without a trigger: 2 of 2 (100 %) at smoke and" in result.output
    assert f"False positives: 0 of {CORRECT} conforming servers." in result.output
    assert "✓ all expected faults detected, no false positives" in result.output


def test_miss_ends_with_1_and_shows_the_checks(command, judged) -> None:
    judged(blind)
    result = command("selftest", "--fault", "dropped")
    assert result.exit_code == 1
    assert "Missed (1)\n✗ dropped  standard tier, openai contract" in result.output
    assert "breaks stop.string" in result.output
    assert "✓ pass  stop.string" in result.output
    assert "✗ 1 of the expected faults not detected" in result.output


def test_hidden_faults_are_expected_at_the_deep_tier(command, judged) -> None:
    judged(blind)
    result = command("selftest", "--fault", "*@stream")
    assert result.exit_code == 0
    assert "Expected only at the deep tier (2)\n  dropped@stream and late@stream" in result.output
    assert command("selftest", "--fault", "*@stream", "--tier", "deep").exit_code == 1


def test_false_positive_ends_with_1_and_is_escaped(command, judged) -> None:
    judged(angry)
    result = command("selftest", "--variant", "*")
    assert result.exit_code == 1
    assert "False positives (1)\n✗ crlf" in result.output
    assert "stop.string: fail: expected a; seen ␛[2J" in result.output
    assert "\x1b" not in result.output


def test_programs_get_every_run(command, judged) -> None:
    judged(sound)
    words = ("--fault", "dropped*", "--complete", "--format", "json", "--seeds", "2")
    result = command("selftest", *words)
    document = json.loads(result.output)
    shown = {fault["name"]: fault for fault in document["faults"]}
    assert shown.keys() == {"dropped", "dropped@stream"}
    runs = [(run["tier"], run["seed"], run["found"]) for run in shown["dropped"]["runs"]]
    assert runs == [(t, s, True) for t in ("smoke", "standard") for s in (0, 1)]
    assert shown["dropped@stream"]["due"] == Tier.DEEP
    first: dict[str, Any] = shown["dropped"]["runs"][0]
    assert first["found_by"] == ["stop.string"]
    assert first["said"][0]["message"] == "expected a; seen b"
    assert (first["requests"], first["tokens"]) == (100, 3_000)
    assert document["complaints"] == document["unsteady"] == document["correct"] == []


def test_complete_runs_list_other_findings(command, judged) -> None:
    judged(sound)
    assert "other failures" not in command("selftest").output
    assert "other failures" in command("selftest", "--complete").output


def test_page_gets_the_tables(command, judged) -> None:
    judged(blind)
    output = command("selftest", "--format", "markdown").output
    assert "| area | faults | smoke | standard | with a trigger |" in output
    assert "| stop | 2 | 0 of 2 (0 %) | 0 of 2 (0 %) | 0 of 2 (0 %) |" in output
    assert "### Missed\n\n- `dropped` (standard): `stop` is dropped.\n" in output
    assert "### Expected only at the deep tier\n" in output
    assert f"| standard | {CORRECT + 4} | 100 | 100 | 3,000 | 3,000 |" in output


def test_selection_of_nothing_ends_with_5(command, judged) -> None:
    judged(sound)
    result = command("selftest", "--fault", "no-such-fault")
    assert result.exit_code == 5
    assert "no fault or variant matches" in result.output


def until(name: str, error: BaseException) -> Judge:
    """Judge soundly, until the turn of ``name`` comes."""

    def judge(trial: Trial) -> Outcome:
        if trial.name == name:
            raise error
        return sound(trial)

    return judge


def test_lost_worker_ends_with_3_and_keeps_results(command, judged) -> None:
    judged(until("dropped", WorkerError("the bundled server ended during the run")))
    result = command("selftest")
    assert result.exit_code == 3
    assert "conformance: the bundled server ended during the run" in result.output
    assert f"False positives: 0 of {CORRECT} conforming servers." in result.output
    assert f"✗ incomplete: {FAULTY} of the runs did not take place" in result.output


@pytest.mark.parametrize("name", ["crlf", "late@stream"])
def test_interruption_ends_with_2_and_keeps_results(command, judged, name) -> None:
    judged(until(name, KeyboardInterrupt()))
    result = command("selftest", "--complete", "--format", "json")
    assert result.exit_code == 2
    document = json.loads(result.output)
    runs = [run for of in (*document["faults"], *document["correct"]) for run in of["runs"]]
    assert document["complaints"] == [
        f"incomplete: {CORRECT + FAULTY - len(runs)} of the runs did not take place"
    ]
    assert len(runs) == {"crlf": 0, "late@stream": CORRECT + FAULTY - 1}[name]


def test_log_reports_problems_at_once_and_progress(
    command, judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "LOGGED", 2)
    judged(lambda trial: angry(trial) if trial.name == "crlf" else blind(trial))
    result = command("selftest", "--fault", "dropped", "--variant", "crlf").stderr.splitlines()
    assert result == [
        "conformance: crlf (standard): false positive: stop.string: fail: expected a; seen ␛[2J",
        "conformance: 2 of 3 runs done",
        "conformance: dropped (standard): fault not detected",
    ]


def test_missing_server_ends_with_a_sentence(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(what: str) -> str:
        raise BundledServerError("the bundled reference server is not installed")

    monkeypatch.setattr(command_module, "list_bundled", missing)
    result = command("selftest")
    assert result.exit_code == 4
    assert "the bundled reference server is not installed" in result.output


def test_command_runs_as_a_process(process, tmp_path: Path) -> None:
    words = ("--fault", "total-mismatch", "--tier", "smoke", "--jobs", "1", "--format", "json")
    result = process("selftest", *words)
    assert result.returncode == 0, result.stderr
    (fault,) = json.loads(result.stdout)["faults"]
    assert "usage.total" in fault["runs"][0]["found_by"]
    assert result.stderr == ""
