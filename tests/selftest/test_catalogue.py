"""What the server lists is read, or refused with a sentence."""

from __future__ import annotations

import json

import pytest

from conformance.contract import DOCUMENTS, load_contract
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
    "statistical": False,
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


def test_faults_and_variants_are_read_as_they_are_listed() -> None:
    catalogue = read_catalogue(json.dumps([FAULT]), json.dumps([VARIANT]))
    (fault,), (variant,) = catalogue.faults, catalogue.variants
    assert fault.requirements == ("stop.string", "stop.array")
    assert (fault.shows, fault.contract, fault.modifiers) == (Shows.REFUSED, "zero", ("stream",))
    assert (variant.refuses, variant.may_be_inconclusive) == (("logit_bias",), True)


def test_what_is_not_told_is_the_usual() -> None:
    least = {key: FAULT[key] for key in ("name", "area", "requirements", "summary")}
    (fault,) = read_catalogue(json.dumps([least]), "[]").faults
    assert (fault.contract, fault.dialect, fault.shows) == (
        "openai",
        "reference",
        Shows.FAILURE,
    )
    assert not fault.statistical
    assert fault.modifiers == ()


@pytest.mark.parametrize(
    ("faults", "variants", "sentence"),
    [
        ("no JSON", "[]", "the bundled server's list of faults cannot be read: "),
        ("[]", '{"name": 1}', "the bundled server's list of variants cannot be read: "),
        ('[{"name": "x"}]', "[]", "required field missing"),
        (json.dumps([{**FAULT, "shows": "silently"}]), "[]", "$[0].shows"),
    ],
)
def test_a_list_that_cannot_be_read_is_reported_in_a_sentence(
    faults: str, variants: str, sentence: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(faults, variants)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_shows_everywhere_is_due_at_the_standard_tier_and_all_else_at_the_deep_one() -> None:
    assert a_fault().due(None) is Tier.STANDARD
    assert a_fault().due("stream") is Tier.DEEP
    assert a_fault(statistical=True).due(None) is Tier.DEEP


@pytest.fixture(scope="module")
def bundled() -> Catalogue:
    return read_catalogue(list_bundled("faults"), list_bundled("variants"))


def test_every_bundled_fault_breaks_requirements_that_its_contract_holds(
    bundled: Catalogue,
) -> None:
    assert bundled.faults
    for fault in bundled.faults:
        contract = load_contract(fault.contract)
        assert fault.requirements, fault.name
        for requirement in fault.requirements:
            assert contract.why_not_in_force(requirement) is None, fault.name


def test_every_bundled_behaviour_is_shown_in_a_dialect_under_a_contract(
    bundled: Catalogue,
) -> None:
    for shown in (*bundled.faults, *bundled.variants):
        assert shown.contract in DOCUMENTS, shown.name
        assert shown.dialect in {"reference", *DOCUMENTS}, shown.name
        assert shown.summary.endswith("."), shown.name
