"""No check calls a freedom that a correct endpoint has a broken promise."""

from __future__ import annotations

import asyncio

import pytest

from conformance.contract import DOCUMENTS
from conformance.model import Verdict
from tests.conformance.checks.honest_variants import VARIANTS
from tests.conformance.checks.rewriting import Change, checks_of, findings
from tests.conformance.checks.test_response_faults import FILES

REMARKED = {
    "parts-as-replacement": {
        "logprobs-arrays.partial-characters",
        "logprobs-arrays.partial-emoji",
    },
    "older-validator": {"auth.wrong-key-code"},
    "busy": {"errors.server-fault-envelope"},
}
"""Lesser conventions that a variant leaves: a warning, no more."""

REFUSED = {"echo-with-logprobs-refused"}
"""Variants that decline what nobody promises them to serve."""

UNSTEADY = {"greedy-flickers", "busy", "limited"}
"""Variants that leave some things open."""


@pytest.mark.parametrize("name", VARIANTS)
def test_an_honest_endpoint_breaks_no_promise(name: str) -> None:
    free = {Verdict.PASS, Verdict.SKIPPED}
    if name in REFUSED:
        free |= {Verdict.REFUSED}
    if name in UNSTEADY:
        free |= {Verdict.INCONCLUSIVE}
    found = asyncio.run(findings(VARIANTS[name], checks_of(*FILES)))
    accused = {key: f.message for key, f in found.items() if f.verdict not in free}
    assert accused.keys() == REMARKED.get(name, set()), accused


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_imagined_endpoint_conforms_to_every_document(document: str) -> None:
    found = asyncio.run(findings(Change(), checks_of(*FILES), document))
    accused = {
        key: f.message
        for key, f in found.items()
        if f.verdict not in {Verdict.PASS, Verdict.SKIPPED}
    }
    assert not accused


def test_variants_are_judged_not_skipped() -> None:
    found = asyncio.run(findings(Change(), checks_of(*FILES)))
    passed = [f for f in found.values() if f.verdict is Verdict.PASS]
    assert len(passed) > 0.95 * len(found)
