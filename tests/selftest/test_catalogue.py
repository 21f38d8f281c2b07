"""The server's lists are read, or rejected with a sentence."""

from __future__ import annotations

import json

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.model import Tier
from conformance.selftest.catalogue import Catalogue, CatalogueError, Shows, read_catalogue
from conformance.targets.bundled import list_bundled
from tests.selftest.builders import a_fault

FAULT = {
    "name": "stop-refused",
    "area": "stop",
    "requirements": ["stop.string", "stop.array"],
    "evidence": "source",
    "summary": "`stop` is declined.",
    "tier": "deep",
    "shows": "refused",
    "contract": "zero",
    "dialect": "zero",
    "modifiers": ["stream"],
}
VARIANT = {
    "name": "no-logit-bias",
    "summary": "`logit_bias` is declined.",
    "refuses": ["logit_bias"],
    "may_be_inconclusive": True,
    "contract": "openai",
    "dialect": "reference",
}


def test_listed_faults_and_variants_are_read() -> None:
    catalogue = read_catalogue(json.dumps([FAULT]), json.dumps([VARIANT]))
    (fault,), (variant,) = catalogue.faults, catalogue.variants
    assert fault.requirements == ("stop.string", "stop.array")
    assert (fault.shows, fault.contract, fault.triggers) == (Shows.REFUSED, "zero", ("stream",))
    assert fault.tier is Tier.DEEP
    assert (variant.refuses, variant.may_be_inconclusive) == (("logit_bias",), True)


def test_missing_members_have_defaults() -> None:
    least = {key: FAULT[key] for key in ("name", "area", "requirements", "summary")}
    (fault,) = read_catalogue(json.dumps([least]), "[]").faults
    assert (fault.contract, fault.dialect, fault.shows) == (
        "openai",
        "reference",
        Shows.FAILURE,
    )
    assert (fault.tier, fault.triggers) == (Tier.STANDARD, ())


@pytest.mark.parametrize(
    ("faults", "variants", "sentence"),
    [
        ("no JSON", "[]", "the bundled server's list of faults cannot be read: "),
        ("[]", '{"name": 1}', "the bundled server's list of variants cannot be read: "),
        ('[{"name": "x"}]', "[]", "required field missing"),
        (json.dumps([{**FAULT, "shows": "silently"}]), "[]", "$[0].shows"),
    ],
)
def test_invalid_list_is_reported_in_a_sentence(faults: str, variants: str, sentence: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(faults, variants)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trigger_defers_a_fault_to_deep() -> None:
    assert a_fault().due(None) is Tier.STANDARD
    assert a_fault().due("stream") is Tier.DEEP
    assert a_fault(tier=Tier.DEEP).due(None) is Tier.DEEP


@pytest.fixture(scope="module")
def bundled() -> Catalogue:
    return read_catalogue(list_bundled("faults"), list_bundled("variants"))


def test_bundled_faults_break_requirements_of_their_contract(
    bundled: Catalogue,
) -> None:
    assert bundled.faults
    for fault in bundled.faults:
        contract = load_contract(fault.contract)
        assert fault.requirements, fault.name
        for requirement in fault.requirements:
            assert contract.why_not_in_force(requirement) is None, fault.name


def test_bundled_behaviours_have_a_dialect_and_a_contract(
    bundled: Catalogue,
) -> None:
    for shown in (*bundled.faults, *bundled.variants):
        assert shown.contract in CONTRACTS, shown.name
        assert shown.dialect in {"reference", *CONTRACTS}, shown.name
        assert shown.summary.endswith("."), shown.name
