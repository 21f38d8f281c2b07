"""The transcribed pages agree with their contracts, which were written independently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from conformance.contract import DOCUMENTS, SchemaViolation, load_contract
from conformance.docs_audit.json_types import overlap, types_in
from conformance.docs_audit.page import Client, Example, Page, Parameter, Sample
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.docs_audit.printed_samples import read
from tests.cases import for_each_case

SPEC = Path(__file__).parents[2] / "spec"

EXAMPLES = [
    pytest.param(load_page(name), example, id=f"{name}: {example.name}")
    for name in PAGES
    for example in load_page(name).examples
]
SAMPLES = [
    pytest.param(load_page(name), sample, id=f"{name}: {sample.name}")
    for name in PAGES
    for sample in load_page(name).samples
]
PARAMETERS = [
    pytest.param(name, parameter, id=f"{name}: {parameter.written}")
    for name in PAGES
    for parameter in load_page(name).parameters
]


def test_every_vendors_page_is_transcribed() -> None:
    assert {path.stem for path in (SPEC / "pages").glob("*.yaml")} == set(DOCUMENTS) - {"openai"}


@for_each_case("name", PAGES)
def test_transcription_fits_the_schema_of_pages(name: str) -> None:
    schema = json.loads((SPEC / "pages.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    rows = yaml.safe_load((SPEC / "pages" / f"{name}.yaml").read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(rows)) == []


# ── examples and samples ─────────────────────────────────────────────────────────────────────────


def whole(example: Example) -> dict[str, Any]:
    """The request of an example; a part of a body is completed."""
    rest = {"model": "any", "prompt": "any"} if example.client is Client.FRAGMENT else {}
    return {**rest, **example.request}


@for_each_case(("page", "example"), EXAMPLES)
def test_example_fits_its_contract_and_openai(page: Page, example: Example) -> None:
    for contract in (load_contract(page.document), load_contract("openai")):
        assert contract.validate_request(whole(example)) == ()


def violations_of(page: Page, sample: Sample) -> list[SchemaViolation]:
    """What its contract has against the objects of a sample."""
    contract = load_contract(page.document)
    validate = contract.validate_chunk if sample.kind == "stream" else contract.validate_completion
    return [violation for thing in read(sample).objects for violation in validate(thing)]


@for_each_case(("page", "sample"), SAMPLES)
def test_sample_fits_its_contract_except_missing_arrays(page: Page, sample: Sample) -> None:
    found = [(v.path, v.rule, v.message) for v in violations_of(page, sample)]
    lacking = ["top_logprobs", "text_offset"] if page.document == "gpt-ge" else []
    assert found == [
        ("choices[0].logprobs", "required", f"{name!r} is a required property") for name in lacking
    ]


@for_each_case(("page", "sample"), SAMPLES)
def test_every_sample_is_readable(page: Page, sample: Sample) -> None:
    assert read(sample).objects
    assert all(thing["choices"] for thing in read(sample).objects)


def test_eronmind_requires_all_nine_parameters() -> None:
    contract = load_contract("eronmind")
    request = dict(load_page("eronmind").examples[0].request)
    for name in list(request):
        found = contract.validate_request({k: v for k, v in request.items() if k != name})
        assert [(v.rule, name in v.message) for v in found] == [("required", True)]


def test_eronmind_overlay_keeps_the_pages_types() -> None:
    overlay = (SPEC / "documents" / "eronmind.yaml").read_text("utf-8")
    assert "x-page-type: string" in overlay
    assert {parameter.type for parameter in load_page("eronmind").parameters} == {"string"}


# ── parameters ───────────────────────────────────────────────────────────────────────────────────


@for_each_case("name", PAGES)
def test_page_lists_what_its_contract_documents(name: str) -> None:
    listed = {parameter.names[0] for parameter in load_page(name).parameters}
    assert listed == {p.name for p in load_contract(name).parameters if p.documented}


@for_each_case(("document", "parameter"), PARAMETERS)
def test_contract_requires_what_the_page_requires(document: str, parameter: Parameter) -> None:
    required = load_contract(document).parameter(parameter.names[0]).required
    # Where a page does not say, its contract reads model and prompt as required.
    silent = parameter.names[0] in {"model", "prompt"}
    assert required == (silent if parameter.required is None else parameter.required)


@for_each_case(("document", "parameter"), PARAMETERS)
def test_contract_has_the_pages_defaults(document: str, parameter: Parameter) -> None:
    known = load_contract(document).parameter(parameter.names[0])
    if parameter.default == "inf":
        assert known.default_unlimited
        return
    # A null that is the default, and no more is said of it, is what leaving out means.
    assert known.has_default == parameter.has_default
    assert known.default == parameter.default


@for_each_case(("document", "parameter"), PARAMETERS)
def test_contract_has_the_pages_limits(document: str, parameter: Parameter) -> None:
    known = load_contract(document).parameter(parameter.names[0])
    assert known.max_items == parameter.most
    # What lies in the nature of the thing stays in a contract whether a page says so or not.
    if parameter.minimum is not None:
        assert known.minimum == parameter.minimum
    if parameter.maximum is not None or parameter.names[0] not in {"top_p", "seed"}:
        assert known.maximum == parameter.maximum


@for_each_case(("document", "parameter"), PARAMETERS)
def test_null_is_accepted_if_typed_or_default(document: str, parameter: Parameter) -> None:
    nullable = "null" in types_in(parameter.type) or (
        parameter.has_default and parameter.default is None
    )
    # eronmind's example sends null for logprobs, against the page's own types.
    sent = any(
        example.request.get(parameter.names[0], "") is None
        for example in load_page(document).examples
    )
    assert load_contract(document).parameter(parameter.names[0]).nullable == (nullable or sent)


@for_each_case(
    ("document", "parameter"), [row for row in PARAMETERS if row.values[0] != "eronmind"]
)
def test_contract_accepts_values_of_the_pages_types(document: str, parameter: Parameter) -> None:
    known = load_contract(document).parameter(parameter.names[0])
    for kind in types_in(parameter.type):
        assert kind == "null" or overlap((kind,), known.types)


@for_each_case("name", PAGES)
def test_described_response_fields_are_in_the_contract(name: str) -> None:
    contract = load_contract(name)
    known = {field.path.removeprefix("response.") for field in contract.fields}
    assert {field.path for field in load_page(name).fields} <= known
    for listed in load_page(name).fields:
        described = [f for f in contract.fields if f.path.removeprefix("response.") == listed.path]
        assert not described[0].says[name].startswith("shown in the sample")
