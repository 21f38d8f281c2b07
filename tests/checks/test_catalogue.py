"""Every fault is found, every check finds one, and no variant is reported."""

from __future__ import annotations

from collections import defaultdict

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.model import Tier, Verdict
from reference_server.behaviour.builders import choices, omits
from reference_server.behaviour.registry import Fault, Variant, all_faults, all_variants
from reference_server.behaviour.rewrite import Rewrite
from tests.checks.catalogue import CHECKS, complaints, fault_for, finder_of, findings
from tests.checks.combinations import (
    ONLY_HERE,
    OVERDRAWN,
    SETTINGS_MEET,
    UNREACHED,
    UNSEEN,
)


def faults_by_area() -> dict[str, list[Fault]]:
    areas: dict[str, list[Fault]] = defaultdict(list)
    for fault in all_faults().values():
        areas[fault.area].append(fault)
    return areas


def variants_by_area() -> dict[str, list[Variant]]:
    areas: dict[str, list[Variant]] = defaultdict(list)
    for variant in all_variants().values():
        areas[variant.area].append(variant)
    return areas


def checks_by_area() -> dict[str, list[str]]:
    areas: dict[str, list[str]] = defaultdict(list)
    for check in CHECKS.values():
        areas[check.requirement.partition(".")[0]].append(check.id)
    return areas


FAULTS, VARIANTS, AREAS = faults_by_area(), variants_by_area(), checks_by_area()


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("area", FAULTS)
def test_faults_are_found(area: str) -> None:
    missed = [fault.name for fault in FAULTS[area] if finder_of(fault) is None]
    assert missed == [fault.name for fault in FAULTS[area] if fault.name in UNSEEN]


@pytest.mark.parametrize("area", AREAS)
def test_every_check_has_a_fault_that_it_finds(area: str) -> None:
    reached = [check_id for check_id in AREAS[area] if check_id not in UNREACHED]
    assert [check_id for check_id in reached if fault_for(CHECKS[check_id]) is None] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("check_id", UNREACHED)
def test_exception_finds_no_catalogue_fault(check_id: str) -> None:
    assert fault_for(CHECKS[check_id]) is None


def test_exceptions_name_existing_entries() -> None:
    assert {*ONLY_HERE, *SETTINGS_MEET, *UNREACHED} <= set(CHECKS)
    assert set(UNSEEN) <= set(all_faults())
    assert set(OVERDRAWN) <= set(all_variants())


# ── correct servers ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("area", VARIANTS)
def test_variants_are_not_reported(area: str) -> None:
    # Not all checks: those of the area, or of the cheapest tier if it has none.
    own = [check for check in CHECKS.values() if check.requirement.startswith(f"{area}.")]
    judging = own or [check for check in CHECKS.values() if check.tier is Tier.SMOKE]
    reported = {variant.name: complaints(variant, judging) for variant in VARIANTS[area]}
    assert {name: result for name, result in reported.items() if result} == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in all_variants() if name not in OVERDRAWN])
def test_variant_is_not_reported_by_any_check(name: str) -> None:
    assert complaints(all_variants()[name], list(CHECKS.values())) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "openai"])
def test_fake_endpoint_conforms_to_every_document(document: str) -> None:
    fine = {Verdict.PASS, Verdict.SKIPPED}
    found = findings("none", CHECKS.values(), document)
    assert {key: f.message for key, f in found.items() if f.verdict not in fine} == {}


def test_fake_endpoint_conforms() -> None:
    found = findings("none", CHECKS.values())
    verdicts = [finding.verdict for finding in found.values()]
    assert set(verdicts) == {Verdict.PASS, Verdict.SKIPPED}
    assert verdicts.count(Verdict.PASS) > 0.9 * len(verdicts)


# ── answers of any shape ─────────────────────────────────────────────────────────────────────────

MISSHAPEN = (
    "choices-object",
    "choices-empty",
    "choices-dropped",
    "index-missing",
    "logprobs-chat-shape",
    "array-missing",
    "tokens-as-numbers",
    "scores-as-text",
    "usage-strings",
    "chat-shaped-answer",
    "stream-chat-delta",
    "ndjson-not-sse",
    "html-error",
    "error-string",
)
"""Faults that take away what a careless check would reach for."""

SHAPELESS = {
    "choices of strings": Rewrite(
        non_streaming=lambda _, response: {**response, "choices": ["a", "b"]}
    ),
    "text is a list": choices(lambda _, of: [{**choice, "text": ["a"]} for choice in of]),
    "logprobs are nonsense": choices(
        lambda _, of: [
            {**choice, "logprobs": {"tokens": [1], "token_logprobs": ["x"]}} for choice in of
        ]
    ),
    "an empty object": Rewrite(non_streaming=lambda _, __: {}),
    "a stream of nothing": Rewrite(chunks=lambda _, __: []),
    "a refusal without words": Rewrite(refusal=lambda _, __: {}),
    "nothing but errors": Rewrite(raw=lambda _, got: got.with_status(429)),
}


def broken_checks(shown: str | Rewrite) -> dict[str, str]:
    found = findings(shown, CHECKS.values())
    return {key: f.message for key, f in found.items() if f.verdict is Verdict.ERROR}


def test_malformed_responses_break_no_check() -> None:
    assert broken_checks("choices-object") == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MISSHAPEN)
def test_no_fault_breaks_a_check(name: str) -> None:
    assert broken_checks(name) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SHAPELESS)
def test_responses_without_structure_break_no_check(name: str) -> None:
    assert broken_checks(SHAPELESS[name]) == {}


@pytest.mark.exhaustive
def test_missing_usage_is_no_fault_of_a_parameter() -> None:
    """Without usage a parameter is judged by other means or left inconclusive."""
    contract = load_contract("openai")
    parameters = {parameter.name for parameter in contract.parameters}
    about = [
        check
        for check in CHECKS.values()
        if contract.requirement(check.requirement).subject in parameters - {"stream_options"}
        and check.asks
    ]
    found = findings(omits("usage"), about)
    wrong = {Verdict.FAIL, Verdict.ERROR}
    assert {key: f.message for key, f in found.items() if f.verdict in wrong} == {}
