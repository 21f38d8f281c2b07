"""Real runs against planted faults; the floors are what the suite reaches today."""

from __future__ import annotations

import os
import shutil

import pytest

from conformance.model import Tier
from conformance.selftest.attribution import Draw, Planting, RunResult, figures_of, plantings_of
from conformance.selftest.catalogue import Fault, read_catalogue
from conformance.selftest.planted_run import ended_early, result_of
from conformance.selftest.trials import Trial, Wanted, trials_of
from conformance.selftest.workers import Craft, results_of
from conformance.targets.bundled import list_bundled
from tests.lanes import exhaustive
from tests.selftest.builders import a_fault

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

CRAFT: Craft[Planting, RunResult] = Craft(result_of, ended_early)
PAIR, MASKED = ("created-missing", "total-mismatch"), ("total-mismatch", "usage-missing")
SHOWN = ("echo-ignored", "response-cache", "second-response")
"""Faults whose findings a probe, a repeated request and the suite's own command show."""

BY_SUITE = {"second-response": "headers.framing-everywhere"}
PRECISION_OF_FEW = 1.0
PRECISION_OF_SINGLES, PRECISION_OF_COMBINATIONS = 0.97, 0.9


def trials(tier: Tier, *names: str) -> tuple[Trial, ...]:
    catalogue = read_catalogue(list_bundled("faults"), list_bundled("variants"))
    return tuple(
        trial
        for trial in trials_of(catalogue, Wanted(tier, names))
        if isinstance(trial.shown, Fault) and trial.tier is tier and trial.trigger is None
    )


def run(plantings: tuple[Planting, ...], jobs: int = 1) -> list[RunResult]:
    results = list(results_of(plantings, jobs, CRAFT))
    assert [one.because for one in results] == [None] * len(plantings)
    return results


@pytest.fixture(scope="module")
def few() -> dict[str, RunResult]:
    """Some runs against the bundled server; one call, because its start takes as long as they."""
    known = {trial.name: trial for trial in trials(Tier.STANDARD, *PAIR, *MASKED, *SHOWN)}
    pairs = [Planting(tuple(known[name] for name in names)) for names in (PAIR, MASKED)]
    singles = [Planting((known[name],)) for name in SHOWN]
    return {result.planting.name: result for result in run((*pairs, *singles))}


def test_few_faults_are_told_or_masked(few: dict[str, RunResult]) -> None:
    pair, masked = few["+".join(PAIR)], few["+".join(MASKED)]
    # Without `usage` there is no total that could be wrong.
    assert (pair.masked, masked.masked) == (frozenset(), {"total-mismatch"})
    figures = figures_of([pair, masked])
    assert (figures.reported, figures.planted) == (3, 3)
    assert figures.precision >= PRECISION_OF_FEW


def test_printed_commands_show_their_findings(few: dict[str, RunResult]) -> None:
    claims = [(name, claim) for name, result in few.items() for claim in result.findings]
    assert {name for name, _ in claims} == few.keys()
    assert [(name, claim.check) for name, claim in claims if not claim.reproduced] == []
    assert {name: claim.check for name, claim in claims if claim.by_suite} == BY_SUITE


def test_internal_error_ends_one_run() -> None:
    planting = Planting((Trial(a_fault(), Tier.SMOKE, "openai", "reference"),))
    result = ended_early(planting, ValueError("no"))
    assert result.because == "internal error of the suite: ValueError: no"


@exhaustive
def test_single_faults_hold_the_floor() -> None:
    plantings = plantings_of(trials(Tier.STANDARD), Draw(None))
    runs = run(plantings, os.cpu_count() or 1)
    assert figures_of(runs).precision >= PRECISION_OF_SINGLES
    assert [
        f"{result.planting.name}: {claim.check}"
        for result in runs
        # What only the deep tier is due to find may be met by chance.
        for claim in result.findings
        if result.planted and result.named(claim) and not claim.reproduced
    ] == []


@exhaustive
def test_pairs_and_fives_hold_the_floor() -> None:
    plantings = plantings_of(trials(Tier.STANDARD), Draw(0, pairs=200, fives=50))
    figures = figures_of(run(plantings, os.cpu_count() or 1))
    assert figures.precision >= PRECISION_OF_COMBINATIONS
