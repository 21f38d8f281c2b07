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
FEW = ("created-missing", "total-mismatch", "usage-missing")
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


def test_few_faults_are_told_reproduced_or_masked() -> None:
    # One call, because starting a server takes as long as the runs.
    created, mismatch, missing = trials(Tier.STANDARD, *FEW)
    pair, masked = run((Planting((created, mismatch)), Planting((mismatch, missing))))
    # Without `usage` there is no total that could be wrong.
    assert (pair.masked, masked.masked) == (frozenset(), {"total-mismatch"})
    figures = figures_of([pair, masked])
    assert (figures.reported, figures.planted) == (3, 3)
    assert figures.precision >= PRECISION_OF_FEW
    assert figures.reproduced == figures.commands > 0


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
        for claim in result.findings
        if not claim.reproduced
    ] == []


@exhaustive
def test_pairs_and_fives_hold_the_floor() -> None:
    plantings = plantings_of(trials(Tier.STANDARD), Draw(0, pairs=200, fives=50))
    figures = figures_of(run(plantings, os.cpu_count() or 1))
    assert figures.precision >= PRECISION_OF_COMBINATIONS
