"""``conformance selftest --attribution``: text, JSON, exit codes and options."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence

import pytest

from conformance.cli import selftest_attribution
from conformance.model import Level, Verdict
from conformance.selftest.attribution import Claim, Planting, RunResult
from conformance.selftest.workers import WorkerError

FAULTS = [
    {
        "name": name,
        "area": "stop",
        "requirements": ["stop.string"],
        "also_breaks": ["finish-reason.*"],
        "summary": "`stop` is dropped.",
        "modifiers": ["stream"],
    }
    for name in ("dropped", "late", "shifted")
]
SUBJECTS = {
    "stop.string": "stop",
    "finish-reason.stop": "choices[].finish_reason",
    "usage.present": "usage",
}

Judge = Callable[[Planting], RunResult]
# The package has the command itself under this name.
command_module = importlib.import_module("conformance.cli.selftest")


def a_claim(requirement: str, **changes: object) -> Claim:
    known = {"level": Level.MUST, "verdict": Verdict.FAIL, "reproduced": True}
    subject = SUBJECTS[requirement]
    return Claim(requirement, requirement, subject, **{**known, **changes})  # type: ignore[arg-type]  # names of a record's fields


def twice(planting: Planting) -> RunResult:
    """Tell the cause, tell it again, and tell what it is declared to break as well."""
    told = "stop.string", "stop.string", "finish-reason.stop"
    return RunResult(planting, tuple(map(a_claim, told)), SUBJECTS, {}, "Drops `stop`.")


def right(planting: Planting) -> RunResult:
    return RunResult(
        planting, (a_claim("stop.string"),), SUBJECTS, {"stop": "ignored"}, "Drops `stop`."
    )


def wrong(planting: Planting) -> RunResult:
    claims = (a_claim("usage.present", message="expected a; got \ud800\x1b[2J", reproduced=False),)
    return RunResult(planting, claims, SUBJECTS, {"usage": "altered"}, "Incorrect field: `usage`.")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Judge], None]:
    """Let a small catalogue be judged without a server."""
    listed = {"faults": json.dumps(FAULTS), "variants": "[]"}
    monkeypatch.setattr(command_module, "list_bundled", listed.__getitem__)

    def replace(judge: Judge) -> None:
        def results(plantings: Sequence[Planting], jobs: int, craft: object) -> Iterator[RunResult]:
            # Workers finish in any order.
            yield from map(judge, reversed(plantings))

        monkeypatch.setattr(selftest_attribution, "results_of", results)

    return replace


def test_true_statements_end_with_0(command, judged) -> None:
    judged(right)
    result = command("selftest", "--attribution")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line for line in lines if line[0:1] == "✓"][:3] == ["✓ dropped", "✓ late", "✓ shifted"]
    assert "stop.string  names dropped" in result.output
    assert "states: stop ignored" in result.output
    assert (
        "3 single faults: 3 of 3 findings name their cause (100.0 %), 3 of 3 faults are reported,"
        " 3 runs report nothing else, 0 of 3 states are false.\n"
        "single faults: 3 true findings for 3 causes, 1.00 for each (1.00 for each fault).\n"
        "3 of 3 findings are shown by their printed commands, 0 of them by the suite's own command"
        " alone, as the report says."
    ) in result.output


def test_false_statements_end_with_1(command, judged) -> None:
    judged(wrong)
    result = command("selftest", "--attribution", "--fault", "late")
    assert result.exit_code == 1
    assert "names no planted fault; its command does not show it" in result.output
    assert "reported by no finding: late" in result.output
    assert "states: usage altered (false)" in result.output
    assert "1 check with false positives\n    1  usage.present: late" in result.output
    assert "✗ 1 printed commands do not show the deviation" in result.output
    assert "\x1b" not in result.output


def test_programs_get_every_finding(command, judged) -> None:
    judged(wrong)
    result = command(
        "selftest", "--attribution", "--sample", "0", "--pairs", "2", "--format", "json"
    )
    document = json.loads(result.output)
    assert document["groups"]["pairs"]["findings"] == 2
    assert document["groups"]["pairs"]["precision"] == 0
    assert len(document["false_positives"][0]["faults"]) == 2
    run = document["runs"][0]
    assert len(run["faults"]) == len(run["unreported"]) == 2
    assert run["false_states"] == ["usage"]
    (claim,) = run["findings"]
    assert (claim["names"], claim["reproduced"], claim["verdict"]) == ([], False, "fail")


def test_causes_told_twice_are_named(command, judged) -> None:
    judged(twice)
    result = command("selftest", "--attribution", "--fault", "late")
    assert result.exit_code == 0, result.output
    assert (
        "single faults: 3 true findings for 2 causes, 1.50 for each (3.00 for each fault)."
        "\ntold more than once: late (3 for 2)\n"
    ) in result.output


def test_programs_get_what_is_told_twice(command, judged) -> None:
    judged(twice)
    result = command("selftest", "--attribution", "--fault", "late", "--format", "json")
    told = json.loads(result.output)["told"]["single faults"]
    assert (told["findings"], told["faults"], told["causes"]) == (3, 1, 2)
    assert (told["per_cause"], told["per_fault"]) == (1.5, 3.0)
    assert told["repeated"] == [{"name": "late", "findings": 3, "causes": 2}]


def test_markdown_has_totals_and_names(command, judged) -> None:
    judged(twice)
    words = ("--attribution", "--fault", "late", "--format", "markdown")
    result = command("selftest", *words)
    assert (
        "| single faults | 1 | 3 of 3 (100.0 %) | 1.50 | 1 of 1 | 0 of 0 | 3 of 3 |"
        in result.output
    )
    assert "### Told more than once\n\n- `late`: 3 findings for 2" in result.output
    judged(wrong)
    result = command("selftest", *words)
    assert result.exit_code == 1
    assert result.output.startswith("- 1 findings name no planted fault\n")
    assert "### False positives\n\n- `usage.present`: `late`" in result.output
    assert "### Reported by no finding\n\n- `late` in `late`" in result.output
    assert "### Not shown by its command\n\n- `usage.present` of `late`" in result.output


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), {"dropped", "late", "shifted"}),
        (("--sample", "1"), 1),
        (("--fault", "stop"), {"dropped", "late", "shifted"}),
        (("--fault", "late@stream"), {"late@stream"}),
        (("--all",), {"dropped", "late", "shifted"}),
        (("--sample", "0", "--pairs", "9"), 3),
    ],
)
def test_selection_decides_what_is_planted(command, judged, words, names) -> None:
    planted: list[str] = []
    judged(lambda planting: planted.append(planting.name) or right(planting))  # type: ignore[func-returns-value]  # append, then judge
    command("selftest", "--attribution", *words)
    assert len(planted) == (names if isinstance(names, int) else len(names))
    assert isinstance(names, int) or set(planted) == names


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--pairs", "3"), "--sample, --all, --pairs, --fives and --seed need --attribution"),
        (("--attribution", "--seeds", "2"), "omit --variant, --stage and --seeds"),
        (("--attribution", "--all", "--sample", "3"), "--all and --sample exclude each other"),
    ],
)
def test_options_that_do_not_fit_are_refused(command, judged, words, sentence) -> None:
    judged(right)
    result = command("selftest", *words)
    assert result.exit_code == 4
    assert sentence in result.output


def test_nothing_to_plant_ends_with_5(command, judged) -> None:
    judged(right)
    result = command(
        "selftest", "--attribution", "--fault", "late", "--sample", "0", "--pairs", "1"
    )
    assert result.exit_code == 5
    assert "too few faults are selected to draw from" in result.output


def test_lost_worker_keeps_results(command, judged) -> None:
    def judge(planting: Planting) -> RunResult:
        if planting.name == "dropped":
            raise WorkerError("the bundled server ended during the run against dropped")
        return right(planting)

    judged(judge)
    result = command("selftest", "--attribution")
    assert result.exit_code == 3
    assert "the bundled server ended during the run against dropped" in result.output
    assert "✗ incomplete: 1 of the runs did not take place" in result.output
    assert "2 single faults: 2 of 2" in result.output
