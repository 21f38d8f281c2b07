"""A check that claims to show an effect does not pass where the parameter is ignored."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.model import Tier, Verdict
from reference_server.behaviour.messages import ClientRequest, ServerResponse, Upstream
from tests.fake_server import FakeServer, findings_of

CONTRACT = load_contract("openai")
ANOTHER_PROMPT = "一二三"

IGNORED_BY_FAULTS = {
    "best_of": ("best-of-dropped", "best-of-ignored"),
    "frequency_penalty": ("penalty-ignored",),
    "max_tokens": ("max-tokens-dropped", "max-tokens-ignored"),
    "model": ("unknown-model-accepted",),
    "presence_penalty": ("penalty-ignored",),
    "temperature": ("temperature-ignored",),
}
"""Faults that ignore a parameter in another way than by leaving it out."""

WITHOUT_EFFECT = {"user"}
"""Parameters that promise to change nothing."""

UNSEEN_AT_STANDARD = {"best_of", "temperature", "user"}
"""Parameters whose effect takes more requests to see than a standard run has."""


@dataclass(frozen=True)
class Ignoring:
    """A relay that accepts what the server accepts, and then leaves a parameter out."""

    parameter: str

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        body = dict(request.body)
        if response.status != 200 or self.parameter not in body:
            return response
        if self.parameter == "prompt":
            body["prompt"] = ANOTHER_PROMPT
        else:
            del body[self.parameter]
        without = await upstream(request.with_raw(json.dumps(body).encode()))
        return without if without.status == 200 else response


def claiming(parameter: str) -> list[Check]:
    """The checks that claim to show a parameter's effect."""
    return [
        check
        for check in all_checks()
        if check.sees_effect and CONTRACT.requirement(check.requirement).subject == parameter
    ]


PARAMETERS = sorted({parameter.name for parameter in CONTRACT.parameters} - WITHOUT_EFFECT)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_no_claim_survives_an_ignored_parameter(parameter: str) -> None:
    checks = claiming(parameter)
    assert checks
    behaviours: tuple[Any, ...] = IGNORED_BY_FAULTS.get(parameter, ())
    if parameter != "model":
        behaviours += (Ignoring(parameter),)
    for behaviour in behaviours:
        found = asyncio.run(findings_of(FakeServer(behaviour), checks))
        passed = [name for name, f in found.items() if f.verdict is Verdict.PASS]
        assert passed == [], behaviour


def test_standard_sees_most_effects() -> None:
    seen = {
        parameter
        for parameter in PARAMETERS
        if any(Tier.STANDARD.holds(check.tier) for check in claiming(parameter))
    }
    assert {p.name for p in CONTRACT.parameters} - seen == UNSEEN_AT_STANDARD
