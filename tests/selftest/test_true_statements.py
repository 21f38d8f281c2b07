"""A whole run against a faulty server in memory reports nothing but the fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache

import pytest

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import Finding, Target, Verdict
from conformance.record.events import FindingMade, RunFinished
from conformance.record.explained import as_concluded
from conformance.selftest.attribution import (
    Claim,
    Draw,
    Planting,
    RunResult,
    figures_of,
    plantings_of,
)
from conformance.selftest.catalogue import Fault, read_catalogue
from conformance.selftest.trials import Trial, Wanted, trials_of
from conformance.targets.bundled import list_bundled
from tests.fake_server import KEY, MODEL, FakeServer

NAMED = (
    "created-missing",
    "echo-ignored",
    "id-missing",
    "logprobs-ignored",
    "max-tokens-ignored",
    "object-chat",
    "stream-ignored",
    "usage-missing",
    "usage-multiplied",
    "usage-zero",
)
"""Faults that once led to findings about parameters and fields that they do not touch."""

MIN_PRECISION = 0.98
"""The share of true findings over the whole catalogue in memory."""


@cache
def trials(*names: str) -> tuple[Trial, ...]:
    catalogue = read_catalogue(list_bundled("faults"), list_bundled("variants"))
    found = trials_of(catalogue, Wanted(faults=names or ("*",)))
    return tuple(
        one
        for one in found
        if isinstance(one.shown, Fault) and one.trigger is None and one.tier is Wanted().tier
    )


def result_of(planting: Planting) -> RunResult:
    findings = asyncio.run(findings_about(planting))
    contract = load_contract(planting.first.contract)
    claims = tuple(
        Claim(f.id, f.requirement, f.subject, f.level, f.verdict, f.message)
        for f in findings
        if f.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.REFUSED}
    )
    subjects = {key: one.subject for key, one in contract.requirements.items()}
    return RunResult(planting, claims, subjects, {}, "")


async def findings_about(planting: Planting) -> Iterable[Finding]:
    trial = planting.first
    contract = load_contract(trial.contract)
    target = Target("http://fake/v1", MODEL, trial.contract, KEY)
    server = FakeServer(planting.name, trial.contract)
    made: list[Finding] = []
    async for event in run(target, contract, Options(trial.tier), transport=server):
        if isinstance(event, FindingMade):
            made.append(event.finding)
        if isinstance(event, RunFinished):
            return as_concluded(made, event.footer)
    raise AssertionError("the run has no end")


@pytest.mark.parametrize("name", NAMED)
def test_only_the_fault_is_reported(name: str) -> None:
    (trial,) = trials(name)
    result = result_of(Planting((trial,)))
    assert [claim.check for claim in result.collateral] == []
    assert result.unreported == ()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "draw", [Draw(None), Draw(0, pairs=60, fives=24, seed=60317)], ids=["singles", "combinations"]
)
def test_nearly_all_findings_are_true(draw: Draw) -> None:
    figures = figures_of([result_of(planting) for planting in plantings_of(trials(), draw)])
    assert figures.precision >= MIN_PRECISION
