"""The requirements are well-formed, and their sources document the subject."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from conformance.contract import CONTRACTS, Contract, load_contract
from conformance.model import Level
from tests.cases import for_each_case

SPEC = Path(__file__).parents[2] / "spec"
TEXT = (SPEC / "requirements.yaml").read_text("utf-8")
ROWS: list[dict[str, Any]] = yaml.safe_load(TEXT)["requirements"]
EACH = [pytest.param(row, id=row["id"]) for row in ROWS]

OTHER_SUBJECTS = {"response", "unknown-key"}
ASPECTS = {"null", "default", "minimum", "maximum", "max_items"}
MEMBERS = {"continuous_usage_stats"}
FORMS = {"strings", "tokens", "token-arrays"}


def reader_of(row: dict[str, Any]) -> Contract:
    """The contract that has what a requirement is about: a source's, if the live API lacks it."""
    live = load_contract("openai")
    known = {p.name for p in live.parameters} | {s.name for s in live.subjects} | OTHER_SUBJECTS
    is_known = row["subject"] in known or row["subject"].startswith("headers.")
    return live if is_known else load_contract(row["sources"][0]["document"])


@for_each_case("row", EACH)
def test_extensions_are_about_what_the_live_api_lacks(row: dict[str, Any]) -> None:
    if row["scope"] == "extension":
        assert row["id"] not in load_contract("openai").requirements
        assert reader_of(row) is not load_contract("openai")


def test_file_fits_its_schema() -> None:
    schema = json.loads((SPEC / "requirements.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(TEXT))) == []


@for_each_case("key", ["id", "statement", "statement_zh"])
def test_requirements_are_unique(key: str) -> None:
    repeated = [value for value, times in Counter(row[key] for row in ROWS).items() if times > 1]
    assert repeated == []


def test_requirements_are_grouped_by_area() -> None:
    areas = [row["id"].partition(".")[0] for row in ROWS]
    runs = [area for i, area in enumerate(areas) if i == 0 or areas[i - 1] != area]
    scattered = [area for area, times in Counter(runs).items() if times > 1]
    assert scattered == []


@for_each_case("row", EACH)
def test_requirement_subject_is_in_the_contract(row: dict[str, Any]) -> None:
    contract = reader_of(row)
    known = {subject.name for subject in contract.subjects} | OTHER_SUBJECTS
    assert row["subject"] in known or row["subject"].startswith("headers.")


@for_each_case("row", EACH)
def test_requirement_needs_known_parameters(row: dict[str, Any]) -> None:
    contract = reader_of(row)
    for need in row.get("needs", ()):
        name, _, aspect = need.partition(".")
        assert contract.parameter(name).documented
        assert not aspect or aspect in ASPECTS | FORMS | MEMBERS


@for_each_case("row", EACH)
def test_each_document_is_quoted_once(row: dict[str, Any]) -> None:
    documents = [source["document"] for source in row["sources"]]
    assert len(documents) == len(set(documents))


@for_each_case("row", EACH)
def test_quoted_documents_have_the_requirement_in_force(row: dict[str, Any]) -> None:
    for source in row["sources"]:
        assert load_contract(source["document"]).why_not_in_force(row["id"]) is None


@for_each_case("name", [p.name for p in load_contract("openai").parameters])
def test_every_parameter_has_a_requirement(name: str) -> None:
    assert any(row["subject"] == name for row in ROWS)


@for_each_case("path", [f.path for f in load_contract("openai").fields])
def test_every_response_field_has_a_requirement(path: str) -> None:
    assert any(row["subject"] == path for row in ROWS)


def test_contradicting_requirements_bind_only_their_documents() -> None:
    contradictions = [
        ("max-tokens.default-sixteen", "max-tokens.default-unlimited"),
        ("best-of.equal-to-n-served", "best-of.equal-to-n-refused"),
        ("temperature.with-top-p-served", "temperature.with-top-p-refused"),
    ]
    for document in CONTRACTS:
        in_force = load_contract(document).requirements
        for one, other in contradictions:
            assert not (one in in_force and other in in_force)


def test_unknown_live_behaviour_is_never_a_must() -> None:
    advisory = {
        *("suffix.with-echo-or-batch", "stop.empty-is-harmless", "prompt.absent-or-null"),
        *("unknown-key.refused-or-ignored", "logprobs-arrays.before-sampling"),
        *("text-offset.starts-at-prompt-length", "envelope.id-prefix", "seed.repeats"),
        *("headers.openai", "errors.bad-input-type", "errors.bad-input-param"),
    }
    openai = load_contract("openai")
    assert {openai.requirement(name).level for name in advisory} <= {Level.SHOULD, Level.MAY}
