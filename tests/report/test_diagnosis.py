"""Likely causes: one for every way to break every requirement."""

from __future__ import annotations

import re
from dataclasses import astuple

from conformance.contract import CONTRACTS as NAMES
from conformance.contract import load_contract, spec_directory
from conformance.model import Effect, Verdict
from conformance.report.diagnosis import Cause, cause_of, causes, likely_cause
from tests.cases import for_each_case
from tests.report.builders import a_failure, a_finding

CONTRACTS = [load_contract(name) for name in NAMES]
REQUIREMENTS = sorted({key for contract in CONTRACTS for key in contract.requirements})
AREAS = {key.partition(".")[0] for key in REQUIREMENTS}
VENDORS = ("api000", "gpt.ge", "gpt-ge", "aocheng", "zhizengzeng", "eronmind", "零度")
INSULTS = ("fraud", "cheat", "fake", "lie ", "dishonest", "steal", "欺诈", "作弊", "造假", "骗")
CHINESE = re.compile("[\u4e00-\u9fff]")
GENERAL = {causes()[f"*/{effect}"] for effect in Effect}


def test_contracts_together_have_every_requirement() -> None:
    text = (spec_directory() / "requirements.yaml").read_text("utf-8")
    assert sorted(re.findall(r"^  - id: (\S+)", text, re.MULTILINE)) == REQUIREMENTS


@for_each_case("requirement", REQUIREMENTS)
def test_every_requirement_has_a_specific_cause(requirement: str) -> None:
    assert cause_of(requirement, Effect.IGNORED) not in GENERAL
    assert cause_of(requirement, Effect.ALTERED) not in GENERAL


def test_refusal_has_a_cause() -> None:
    assert cause_of("stop.string", Effect.REFUSED) == causes()["*/refused"]
    assert cause_of("logprobs.returned", Effect.REFUSED) == causes()["logprobs/refused"]
    assert cause_of("logprobs.returned", Effect.IGNORED) == causes()["logprobs"]


def test_most_specific_entry_is_used() -> None:
    assert cause_of("usage.total-is-sum", Effect.ALTERED) == causes()["usage.total-is-sum"]
    assert cause_of("usage.a-new-one", Effect.ALTERED) == causes()["usage"]
    assert cause_of("new-area.a-new-one", Effect.IGNORED) == causes()["*/ignored"]


def test_every_key_is_known() -> None:
    known = {*REQUIREMENTS, *AREAS, "*"}
    for key in causes():
        name, _, effect = key.partition("/")
        assert name in known, f"{key} is neither a requirement nor an area"
        assert effect in {"", *Effect}, f"{key} names no effect"


@for_each_case("cause", sorted(set(causes().values()), key=str))
def test_cause_has_two_neutral_sentences_in_both_languages(cause: Cause) -> None:
    for text in (cause.cause, cause.remedy):
        assert not CHINESE.search(text)
        assert text.endswith(".")
    for text in (cause.cause_zh, cause.remedy_zh):
        assert CHINESE.search(text)
        assert text.endswith("。")
    for text in astuple(cause):
        assert len(text) <= 260
        assert not [word for word in (*VENDORS, *INSULTS) if word in text.lower()]


@for_each_case("verdict", sorted(set(Verdict) - {Verdict.FAIL, Verdict.WARN}))
def test_passes_have_no_cause(verdict: Verdict) -> None:
    assert likely_cause(a_finding(verdict=verdict)) is None


def test_failure_has_the_cause_of_its_effect() -> None:
    refused = a_failure(requirement="logprobs.returned", effect=Effect.REFUSED)
    assert likely_cause(refused) == causes()["logprobs/refused"]
    silent = a_failure(requirement="usage.present", effect=None)
    assert likely_cause(silent) == causes()["usage.present"]
