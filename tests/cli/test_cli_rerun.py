"""The suite's own command of a finding is understood, and finds it again."""

from __future__ import annotations

import asyncio
import shlex
import shutil

import pytest

from conformance.cli.run import run
from conformance.model import Tier
from conformance.report.case import case_of
from conformance.report.summary import Summary
from conformance.selftest.attribution import Draw, Planting, plantings_of
from conformance.selftest.planted_run import KEY_ENV, result_of
from conformance.selftest.reproduction import finds_again
from conformance.targets.bundled import bundled_showcase
from tests.lanes import exhaustive
from tests.report.builders import a_failure, a_run
from tests.selftest.test_planted_run import run as run_plantings
from tests.selftest.test_planted_run import trials

FAULTS_WITH_A_RERUN = 24


def test_command_is_understood_as_the_run_was() -> None:
    finding = a_failure(rests_on=("n.choices",))
    named = {"api_key_env": "MY_KEY", "model": "a model's name", "contract": "zero", "seed": 7}
    result = a_run(finding, base_url="http://localhost:1/v1", tier=Tier.DEEP, **named)
    program, command, *words = shlex.split(case_of(Summary(result), finding).suite_command)
    assert (program, command) == ("conformance", "run")
    given = run.make_context("run", words).params
    assert given["base_url"] == "http://localhost:1/v1"
    assert (given["key_name"], given["model"]) == ("MY_KEY", "a model's name")
    assert (given["contract_name"], given["tier"], given["seed"]) == ("zero", "deep", 7)
    assert given["select"] == (finding.id, "n.choices")


@exhaustive
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    ("fault", "check", "by_suite"),
    [
        ("fake-streaming", "streaming.incremental", True),
        ("user-billed", "usage.prompt-alike-everywhere", False),
        ("prompt-times-n", "usage.prompt-once-for-copies", False),
        ("second-response", "headers.framing-everywhere", True),
        ("suffix-breaks", "errors.good-input-no-server-fault", False),
        ("default-seed-two", "seed.default-one", False),
        ("id-of-request", "envelope.id-unique-everywhere", False),
    ],
)
def test_finding_is_shown_again(fault: str, check: str, by_suite: bool) -> None:
    (result,) = run_plantings((Planting(trials(Tier.STANDARD, fault)),))
    claim = next(claim for claim in result.findings if claim.check == check)
    assert (claim.reproduced, claim.by_suite) == (True, by_suite)


@exhaustive
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_suite_command_works_as_printed() -> None:
    missed: list[str] = []
    with bundled_showcase() as server:
        for planting in plantings_of(trials(Tier.STANDARD), Draw(FAULTS_WITH_A_RERUN, seed=15)):
            result = asyncio.run(result_of(planting, server))
            for claim in result.findings[:1]:
                assert claim.rerun is not None
                if not finds_again(claim.rerun, claim.check, KEY_ENV, server.api_key):
                    missed.append(f"{planting.name}: {claim.rerun}")
    assert missed == []
