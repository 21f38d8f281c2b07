"""Bodies are generated reproducibly, within the contract, and without writing files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.api import encode
from conformance.contract import DOCUMENTS, load_contract
from conformance.generation.request_schema import description, request_schema
from conformance.generation.schemathesis_driver import CONFIG, generate_bodies, operation_of
from conformance.model import Request
from conformance.transport.token_bound import upper_bound

OPENAI = load_contract("openai")

PROGRAM = """
import json, sys
for module in sys.argv[1:]:
    __import__(module)
from conformance.contract import load_contract
from conformance.generation.schemathesis_driver import generate_bodies
zero = load_contract("zero")
generated = [generate_bodies(zero, "m", mode, 8, 5) for mode in ("positive", "negative")]
print(json.dumps(generated, default=repr))
"""


def generated_by_a_process(folder: Path, *modules: str, hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *modules],
        cwd=folder,
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_imports_do_not_change_what_is_generated(tmp_path: Path) -> None:
    # The library would read this file from its working directory.
    (tmp_path / "schemathesis.toml").write_text("this is no TOML", "utf-8")
    first = generated_by_a_process(tmp_path, hash_seed="1")
    again = generated_by_a_process(tmp_path, "conformance.cli", "difflib", hash_seed="2")
    assert json.loads(first) == json.loads(again)
    assert [path.name for path in tmp_path.iterdir()] == ["schemathesis.toml"]


def test_seed_decides_what_is_generated() -> None:
    one, other = (generate_bodies(OPENAI, "m", "positive", 5, seed) for seed in (1, 2))
    assert one != other
    assert one == generate_bodies(OPENAI, "m", "positive", 5, 1)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_valid_bodies_fit_the_contract(document: str) -> None:
    contract = load_contract(document)
    for body in generate_bodies(contract, "some-model", "positive", 30, 1):
        assert contract.validate_request(body) == ()
        assert body["model"] == "some-model"
        assert 1 <= body["max_tokens"] <= 3
        assert body.keys() <= {p.name for p in contract.parameters if p.documented}
        assert spent(body) <= 60


@pytest.mark.parametrize("document", DOCUMENTS)
def test_invalid_bodies_violate_the_schema(document: str) -> None:
    contract = load_contract(document)
    generated = generate_bodies(contract, "m", "negative", 20, 1)
    assert len(generated) == 20
    fitting = [body for body in generated if isinstance(body, dict) and not broken(body, contract)]
    # Writing whole numbers as integers makes a few of them valid.
    assert len(fitting) <= 2


def broken(body: Any, contract: Any) -> bool:
    return not Draft202012Validator(request_schema(contract, "m")).is_valid(body)


def test_no_key_is_generated() -> None:
    case = operation_of(OPENAI, "m").Case(body={}, media_type="application/json")
    assert "Authorization" not in (case.headers or {})
    assert "security" not in description(OPENAI, "m")
    assert CONFIG["generation"]["with-security-parameters"] is False


def test_response_schemas_stay_unchanged() -> None:
    whole = description(OPENAI, "m")
    ((path, item),) = whole["paths"].items()
    assert item["post"]["responses"] == OPENAI.openapi["paths"][path]["post"]["responses"]
    kept = dict(whole["components"]["schemas"])
    assert kept.pop("CreateCompletionRequest") == request_schema(OPENAI, "m")
    del (before := dict(OPENAI.openapi["components"]["schemas"]))["CreateCompletionRequest"]
    assert kept == before


def test_flat_errors_are_described_without_an_envelope() -> None:
    described = description(load_contract("sglang"), "m")["components"]["schemas"]["Error"]
    assert set(described["required"]) == {"message", "type", "param", "code"}


def test_extensions_are_not_generated() -> None:
    options = request_schema(load_contract("vllm"), "m")["properties"]["stream_options"]
    assert set(options["properties"]) == {"include_usage"}


def test_narrower_limits_of_the_contract_hold() -> None:
    properties = request_schema(OPENAI, "m")["properties"]
    assert properties["n"]["maximum"] == 2
    assert properties["temperature"]["maximum"] == 2
    assert properties["top_p"]["maximum"] == 1
    assert "null" not in properties["max_tokens"]["type"]


def spent(body: dict[str, Any]) -> int:
    return upper_bound(Request("POST", "/completions", encode(body)))
