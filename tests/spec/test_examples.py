"""The pages' own examples: the sound ones fit their contract, the broken ones fail as known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.contract import DOCUMENTS, Contract, SchemaViolation, load_contract

EXAMPLES = Path(__file__).parent / "examples"


def cases() -> list[Any]:
    """Read every example, one parameter set each."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.yaml"))]
    return [
        pytest.param(file["document"], example, id=f"{file['document']}: {example['name']}")
        for file in files
        for example in file["examples"]
    ]


CASES = cases()


def violations_of(contract: Contract, example: dict[str, Any]) -> tuple[SchemaViolation, ...]:
    payload = example["payload"]
    match example["kind"]:
        case "request":
            return contract.validate_request(payload)
        case "fragment":
            return contract.validate_request({"model": "any", "prompt": "any", **payload})
        case "completion":
            return contract.validate_completion(payload)
        case "chunk":
            return contract.validate_chunk(payload)
    raise AssertionError(f"no example is of the kind {example['kind']}")


@pytest.mark.parametrize(
    ("document", "example"), [case for case in CASES if case.values[1]["valid"]]
)
def test_a_sound_example_fits_its_documents_contract(
    document: str, example: dict[str, Any]
) -> None:
    assert violations_of(load_contract(document), example) == ()


@pytest.mark.parametrize(
    ("document", "example"),
    [c for c in CASES if not c.values[1]["valid"] and c.values[1]["kind"] != "json"],
)
def test_a_broken_example_fails_for_the_reason_known(
    document: str, example: dict[str, Any]
) -> None:
    found = violations_of(load_contract(document), example)
    assert example["because"]
    assert [(violation.path, violation.rule) for violation in found] == [
        (known["path"], known["rule"]) for known in example["fails"]
    ]
    for violation, known in zip(found, example["fails"], strict=True):
        assert known["message"] in violation.message


@pytest.mark.parametrize(
    "example", [pytest.param(c.values[1], id=c.id) for c in CASES if c.values[1]["kind"] == "json"]
)
def test_a_sample_that_is_no_json_is_known_as_such(example: dict[str, Any]) -> None:
    assert not example["valid"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(example["payload"])


def test_every_vendors_page_is_transcribed() -> None:
    assert {case.values[0] for case in CASES} == set(DOCUMENTS) - {"openai"}


@pytest.mark.parametrize("example", [c.values[1] for c in CASES if c.values[1]["valid"]])
def test_a_sound_example_fits_the_openai_contract_too(example: dict[str, Any]) -> None:
    assert violations_of(load_contract("openai"), example) == ()


def test_eronminds_example_breaks_the_types_that_its_page_writes() -> None:
    spec = Path(__file__).parents[2] / "spec" / "documents" / "eronmind.yaml"
    assert "x-page-type: string" in spec.read_text("utf-8")
    example = next(c.values[1] for c in CASES if c.id == "eronmind: example of a request")
    not_strings = [k for k, value in example["payload"].items() if not isinstance(value, str)]
    assert not_strings == ["max_tokens", "temperature", "top_p", "n", "stream", "logprobs"]
