"""Findings are true or collateral, and planted faults are reported or not."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Level, Tier, Verdict
from conformance.selftest.attribution import (
    Claim,
    Draw,
    Planting,
    RunResult,
    complaints_of,
    false_positives,
    figures_of,
    plantings_of,
)
from conformance.selftest.catalogue import Shows
from conformance.selftest.trials import Trial
from tests.selftest.builders import a_fault

SUBJECTS = {
    "stop.string": "stop",
    "stop.array": "stop",
    "usage.present": "usage",
    "usage.total-is-sum": "usage",
    "envelope.choices": "choices",
    "streaming.text-equals-plain": "stream",
}
STOP = a_fault(also_breaks=("finish-reason.*",))
USAGE = a_fault("usage-missing", requirements=("usage.present", "envelope.choices"))


def a_trial(fault=STOP, **changes: Any) -> Trial:
    known = {"tier": Tier.STANDARD, "contract": "openai", "dialect": "reference"}
    return Trial(fault, **{**known, **changes})


def a_claim(requirement: str, verdict: str = "fail", **changes: Any) -> Claim:
    known: dict[str, Any] = {
        "check": requirement,
        "requirement": requirement,
        "subject": SUBJECTS.get(requirement, requirement.partition(".")[0]),
        "level": Level.MUST,
        "verdict": Verdict(verdict),
    }
    return Claim(**{**known, **changes})


def a_result(*claims: Claim, trials: tuple[Trial, ...] = (a_trial(),), **changes: Any) -> RunResult:
    known: dict[str, Any] = {"subjects": SUBJECTS, "states": {}, "headline": ""}
    return RunResult(Planting(trials), claims, **{**known, **changes})


@pytest.mark.parametrize(
    ("requirement", "fault", "trigger", "names"),
    [
        pytest.param("stop.string", STOP, None, True, id="its requirement"),
        pytest.param("stop.array", STOP, None, True, id="another of its subject"),
        pytest.param("finish-reason.known-value", STOP, None, True, id="declared by a glob"),
        pytest.param("usage.present", STOP, None, False, id="something else"),
        pytest.param("envelope.choices", USAGE, None, True, id="a second requirement"),
        pytest.param("envelope.id", USAGE, None, False, id="beside a second requirement"),
        pytest.param("streaming.text-equals-plain", STOP, "stream", True, id="by its trigger"),
        pytest.param("streaming.text-equals-plain", STOP, None, False, id="without the trigger"),
    ],
)
def test_true_finding_names_the_fault(requirement, fault, trigger, names) -> None:
    run = a_result(a_claim(requirement), trials=(a_trial(fault, trigger=trigger),))
    assert bool(run.named(run.claims[0])) is names
    assert bool(run.collateral) is not names


@pytest.mark.parametrize("verdict", ["pass", "inconclusive", "refused", "error"])
def test_only_failures_and_warnings_are_deviations(verdict) -> None:
    run = a_result(a_claim("usage.present", verdict))
    assert run.findings == run.collateral == ()
    assert [trial.name for trial in run.unreported] == ["stop-dropped"]


def test_refusal_tells_a_fault_that_refuses() -> None:
    refusing = a_trial(a_fault(shows=Shows.REFUSED))
    assert not a_result(a_claim("stop.string", "refused"), trials=(refusing,)).unreported


@pytest.mark.parametrize(
    ("requirements", "unreported"),
    [
        (("stop.string", "usage.present"), []),
        (("stop.string",), ["usage-missing"]),
        # The subject alone may be the other fault's.
        (("stop.array", "usage.present"), ["stop-dropped", "stop-late"]),
        ((), ["stop-dropped", "stop-late", "usage-missing"]),
    ],
)
def test_each_planted_fault_is_told(requirements, unreported) -> None:
    faults = [STOP, USAGE]
    if "stop-late" in unreported:
        faults.insert(1, a_fault("stop-late"))
    run = a_result(*map(a_claim, requirements), trials=tuple(a_trial(fault) for fault in faults))
    assert [trial.name for trial in run.unreported] == unreported


def test_masked_fault_need_not_be_told() -> None:
    both = (a_trial(), a_trial(USAGE))
    run = a_result(a_claim("stop.string"), trials=both, masked=frozenset({"usage-missing"}))
    assert not run.unreported
    assert figures_of([run]).planted == 1


def test_fault_due_later_need_not_be_told() -> None:
    fault = a_fault(tier=Tier.DEEP)
    assert not a_result(trials=(a_trial(fault),)).unreported
    assert a_result(trials=(a_trial(fault, tier=Tier.DEEP),)).unreported
    assert not a_result(trials=(a_trial(trigger="stream"),)).unreported


def test_state_needs_a_true_finding() -> None:
    claims = a_claim("stop.string"), a_claim("usage.present")
    run = a_result(*claims, states={"stop": "ignored", "usage": "altered"})
    assert run.false_states == ("usage",)


def test_figures_count_findings_and_commands() -> None:
    right = a_result(a_claim("stop.string", reproduced=True))
    wrong = a_result(
        a_claim("stop.string", reproduced=False),
        a_claim("usage.present", "warn", reproduced=True),
        a_claim("envelope.choices"),
        states={"choices": "altered"},
    )
    figures = figures_of([right, wrong])
    assert (figures.runs, figures.findings, figures.true, figures.spotless) == (2, 4, 2, 1)
    assert (figures.planted, figures.reported, figures.precision) == (2, 2, 0.5)
    assert (figures.commands, figures.reproduced) == (3, 2)
    assert complaints_of([right]) == ()
    assert complaints_of([right, wrong, a_result(because="the bundled server ended")]) == (
        "2 findings name no planted fault",
        "1 states of parameters and fields rest on no true finding",
        "1 planted faults are reported by no finding",
        "1 printed commands do not show the deviation",
        "1 runs ended early",
    )
    assert false_positives([right, wrong, wrong]) == [
        ("envelope.choices", ("stop-dropped", "stop-dropped")),
        ("usage.present", ("stop-dropped", "stop-dropped")),
    ]


def test_no_finding_is_precise() -> None:
    assert figures_of([]).precision == 1


TRIALS = tuple(a_trial(a_fault(f"fault-{place}")) for place in range(12))
ELSEWHERE = a_trial(a_fault("elsewhere"), contract="zero", dialect="zero")


def test_draws_are_repeatable_and_different() -> None:
    draw = Draw(singles=4, pairs=10, fives=3)
    drawn = plantings_of(TRIALS, draw)
    assert drawn == plantings_of(TRIALS, draw)
    assert drawn != plantings_of(TRIALS, Draw(4, 10, 3, seed=1))
    assert [len(planting.trials) for planting in drawn] == [1] * 4 + [2] * 10 + [5] * 3
    assert len({frozenset(planting.name.split("+")) for planting in drawn}) == 17


def test_all_singles_keep_their_order() -> None:
    names = [planting.name for planting in plantings_of(TRIALS, Draw(None))]
    assert names == [f"fault-{place}" for place in range(12)]


def test_combinations_share_contract_and_dialect() -> None:
    drawn = plantings_of((*TRIALS[:3], ELSEWHERE), Draw(0, pairs=20, fives=1))
    assert {planting.name.count("+") for planting in drawn} == {1}
    assert len(drawn) == 3
    assert not any("elsewhere" in planting.name for planting in drawn)


def test_path_omits_one_fault() -> None:
    planting = Planting(TRIALS[:2])
    assert planting.path() == "reference/fault-0+fault-1/standard-0-2"
    assert planting.path(without="fault-0") == "reference/fault-1/standard-0-1"
    assert Planting(TRIALS[:1]).path(without="fault-0") == "reference/none/standard-0-0"
