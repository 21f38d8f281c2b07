"""The OpenAPI description and the six contracts derived from it are well-formed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from conformance.contract import CONTRACTS, DOCUMENTS
from conformance.contract.overlay import apply_overlay
from tests.cases import for_each_case

SPEC = Path(__file__).parents[2] / "spec"
BASE: dict[str, Any] = yaml.safe_load((SPEC / "openapi.yaml").read_text("utf-8"))
SCHEMAS: dict[str, Any] = BASE["components"]["schemas"]
REQUEST: dict[str, Any] = SCHEMAS["CreateCompletionRequest"]

PARAMETERS = [
    *("model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "stream"),
    *("stream_options", "stop", "presence_penalty", "frequency_penalty", "best_of", "logit_bias"),
    *("logprobs", "echo", "seed", "user"),
]


def documented_properties(node: object, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk to every property of a schema but those of stream_options, which only openai knows."""
    if isinstance(node, dict):
        for name, schema in node.get("properties", {}).items():
            yield f"{place}.{name}", schema
            if name != "stream_options":
                yield from documented_properties(schema, f"{place}.{name}")


PROPERTIES = [
    pytest.param(schema, id=place)
    for component, node in SCHEMAS.items()
    for place, schema in documented_properties(node, component)
]


def test_base_is_valid_openapi() -> None:
    validate(BASE)


@for_each_case("document", CONTRACTS)
def test_overlaid_description_is_valid_openapi(document: str) -> None:
    overlay = yaml.safe_load((SPEC / "documents" / f"{document}.yaml").read_text("utf-8"))
    validate(apply_overlay(BASE, overlay))


def test_each_document_has_one_overlay() -> None:
    assert sorted(path.stem for path in (SPEC / "documents").iterdir()) == sorted(CONTRACTS)


def test_parameters_have_a_fixed_order() -> None:
    assert list(REQUEST["properties"]) == PARAMETERS


def test_null_is_a_type() -> None:
    assert "nullable:" not in (SPEC / "openapi.yaml").read_text("utf-8")


@for_each_case("schema", PROPERTIES)
def test_every_property_has_a_description_and_documents(schema: dict[str, Any]) -> None:
    assert schema["description"].endswith(".")
    assert schema["x-documents"]
    assert schema["x-documents"].keys() <= set(DOCUMENTS)


@for_each_case("schema", PROPERTIES)
def test_every_statement_exists_in_both_languages(schema: dict[str, Any]) -> None:
    assert list(schema["x-documents"]) == list(schema["x-documents-zh"])
    assert all(schema["x-documents-zh"].values())


@for_each_case("name", PARAMETERS)
def test_every_parameter_states_whether_it_is_promised(name: str) -> None:
    assert isinstance(REQUEST["properties"][name]["x-promised"], bool)


def test_every_prompt_form_states_whether_it_is_promised() -> None:
    *branches, null = REQUEST["properties"]["prompt"]["anyOf"]
    forms = {form["x-form"]: form["x-promised"] for form in branches}
    assert null == {"type": "null"}
    assert forms == {"string": True, "strings": False, "tokens": False, "token-arrays": False}


def test_stream_is_described_event_by_event() -> None:
    responses = BASE["paths"]["/completions"]["post"]["responses"]["200"]["content"]
    assert responses["text/event-stream"]["schema"] == {
        "$ref": "#/components/schemas/CompletionEvent"
    }
    data = SCHEMAS["CompletionEvent"]["properties"]["data"]
    assert data["if"] == {"const": "[DONE]"}
    assert data["else"]["contentSchema"] == {"$ref": "#/components/schemas/CompletionChunk"}


@for_each_case("status", ["400", "401", "404", "429", "4XX", "5XX"])
def test_every_refusal_has_the_error_envelope(status: str) -> None:
    response = BASE["paths"]["/completions"]["post"]["responses"][status]
    if "$ref" in response:
        response = BASE["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Error"}
