"""Contracts are proposed by what servers say of themselves, and by nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import CONTRACTS
from conformance.model import Exchange, Request
from conformance.protocol.model_list import ListedModel
from conformance.protocol.recognition import MARKS, Proposal, proposals
from conformance.record.line import from_line
from tests.cases import for_each_case

LOCAL = "http://127.0.0.1:8000/v1"
RECORDED = Path(__file__).parents[1] / "field" / "recorded"


def an_answer(body: object = None, status: int = 200, **headers: str) -> Exchange:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    raw = json.dumps(body).encode()
    request = Request("POST", "/completions")
    return Exchange("x0001", request, (), status, sent, raw, (), 0.1)


def fitting(
    *answers: Exchange, url: str = LOCAL, listed: Sequence[ListedModel] = (), model: str = "m"
) -> dict[str, tuple[str, ...]]:
    return {one.contract: one.evidence for one in proposals(url, model, listed, answers)}


@for_each_case(
    ("owner", "contract"),
    [
        ("vllm", "vllm"),
        ("llamacpp", "llama-cpp"),
        ("sglang", "sglang"),
        ("library", "ollama"),
    ],
)
def test_owner_of_the_models_is_evidence(owner: str, contract: str) -> None:
    found = fitting(listed=[ListedModel("m", owner)])
    assert found == {contract: (f"`owned_by` is {owner}",)}


def test_maker_of_a_model_is_no_server() -> None:
    # Relays list the models that they resell with their makers as owners.
    assert fitting(listed=[ListedModel("m", "deepseek")]) == {}
    found = fitting(url="https://api.deepseek.com/beta")
    assert found == {"deepseek-fim": ("the host is api.deepseek.com",)}


def test_owner_of_another_model_is_none() -> None:
    listed = [ListedModel("m", "me"), ListedModel("n", "vllm")]
    assert fitting(listed=listed) == {}
    # Servers accept aliases that they do not list.
    assert list(fitting(listed=[ListedModel("n", "vllm")])) == ["vllm"]


def test_header_of_the_server_is_evidence() -> None:
    found = fitting(an_answer(Server="llama.cpp"))
    assert found == {"llama-cpp": ("the header `Server` is llama.cpp",)}
    assert fitting(an_answer(server="uvicorn")) == {}


def test_host_and_header_of_openai_are_evidence() -> None:
    answer = an_answer(openai_version="2020-10-01")
    found = fitting(answer, url="https://api.openai.com/v1")
    assert found == {
        "openai": ("the host is api.openai.com", "there is the header `openai-version`")
    }


@for_each_case(
    ("body", "contract"),
    [
        ({"error": {"message": "", "type": "BadRequestError", "param": None, "code": 400}}, "vllm"),
        ({"error": {"message": "", "type": "Bad Request", "param": "x", "code": 400}}, "vllm"),
        ({"error": {"message": "", "type": "invalid_request_error", "code": 400}}, "llama-cpp"),
    ],
)
def test_shape_of_an_error_is_evidence(body: Any, contract: str) -> None:
    assert list(fitting(an_answer(body, 400))) == [contract]


@for_each_case(
    "body",
    [
        {"error": {"message": "", "type": "invalid_request_error", "param": None, "code": None}},
        {"error": {"message": "", "type": "invalid_request_error", "param": None, "code": 400}},
        {"error": {"message": "", "type": ["BadRequestError"], "code": 400}},
        {"error": "BadRequestError"},
        {"detail": "no"},
        [],
    ],
)
def test_common_errors_are_no_evidence(body: Any) -> None:
    assert fitting(an_answer(body, 400)) == {}


def test_error_shape_counts_only_in_rejections() -> None:
    body = {"error": {"message": "", "type": "BadRequestError", "code": 400}}
    assert fitting(an_answer(body, 200)) == {}


def test_most_evidence_comes_first() -> None:
    found = fitting(an_answer(Server="llama.cpp"), listed=[ListedModel("m", "vllm")])
    assert list(found) == ["vllm", "llama-cpp"]
    error = {"error": {"message": "", "type": "invalid_request_error", "code": 400}}
    answers = (an_answer(error, 400, Server="llama.cpp"),)
    assert next(iter(fitting(*answers, listed=[ListedModel("m", "vllm")]))) == "llama-cpp"


@pytest.mark.parametrize(
    ("file", "contracts"),
    [
        ("vllm", ["vllm"]),
        ("llama-cpp-small", ["llama-cpp"]),
        ("litellm", []),
        ("vllm-router", []),
    ],
)
def test_recorded_servers_are_recognised(file: str, contracts: list[str]) -> None:
    """Real servers and relays, as recorded; their lists of models were not."""
    lines = gzip.decompress((RECORDED / f"{file}.ndjson.gz").read_bytes()).splitlines()
    kept = [line for line in lines if line.startswith(b'{"kind":"exchange"')]
    answers = [one for line in kept if isinstance(one := from_line(line, file), Exchange)]
    found: tuple[Proposal, ...] = proposals(LOCAL, "tiny", (), answers)
    assert [one.contract for one in found] == contracts


def test_every_mark_has_something_to_tell() -> None:
    for mark in MARKS:
        assert mark.owners or mark.headers or mark.server or mark.hosts, mark
    assert {"vllm", "llama-cpp", "openai"} <= {mark.contract for mark in MARKS} & set(CONTRACTS)
