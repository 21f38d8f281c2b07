"""Invalid requests have one defect each, which no lenient decoder accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.generation.bodies_invalid import (
    MAX_VALUE_BYTES,
    Defect,
    defect_of,
    invalid_requests,
)
from conformance.generation.schemathesis_driver import generate_bodies

OPENAI = load_contract("openai")
VALID: dict[str, Any] = {"model": "m", "prompt": "1", "max_tokens": 1}
WANTED = {Defect.TYPE: 3, Defect.RANGE: 2, Defect.MODEL: 1, Defect.JSON: 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", {}),
        ("n", []),
        ("stream", "perhaps"),
        ("echo", {"a": 1}),
        ("suffix", ["a"]),
        ("prompt", {"text": "a"}),
        ("prompt", [["a", {}]]),
        ("stop", 7),
        ("stop", ["a", {}]),
        ("model", 7),
        ("logit_bias", "a"),
        ("logit_bias", [1]),
        ("stream_options", "usage"),
    ],
)
def test_unreadable_type_is_a_defect(name: str, value: Any) -> None:
    assert defect_of(OPENAI.parameter(name), value) is Defect.TYPE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2.5),
        ("temperature", -1),
        ("top_p", 7),
        ("presence_penalty", -3),
        ("n", 0),
        ("best_of", -1),
        ("logprobs", -1),
        ("stop", ["a", "b", "c", "d", "e"]),
    ],
)
def test_value_beyond_a_stated_limit_is_a_defect(name: str, value: Any) -> None:
    assert defect_of(OPENAI.parameter(name), value) is Defect.RANGE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in ("temperature", "n", "prompt", "stop", "model")),
        *(("temperature", figure) for figure in ("7", "1e1", "inf", "nan", " 0.5 ", "")),
        *(("stream", word) for word in ("true", "No", "off", "1")),
        ("temperature", True),
        ("temperature", -1e-9),
        ("temperature", 2.05),
        ("stream", 1),
        ("user", {}),
        ("suffix", 7),
        ("prompt", ""),
        ("prompt", 7),
        ("stop", []),
        ("logit_bias", []),
        # Too large a value may be served as far as possible, which costs tokens.
        ("n", 10**9),
        ("best_of", 21),
        ("max_tokens", -1),
        ("logprobs", 6),
    ],
)
def test_value_that_may_be_accepted_is_no_defect(name: str, value: Any) -> None:
    assert defect_of(OPENAI.parameter(name), value) is None


def test_undocumented_limit_is_no_limit() -> None:
    aocheng = load_contract("aocheng")
    assert defect_of(aocheng.parameter("presence_penalty"), 3) is None
    assert defect_of(aocheng.parameter("stop"), list("abcde")) is None


def test_each_request_has_one_defect() -> None:
    generated = [
        {"model": "m", "prompt": {}, "temperature": "hot", "n": 0},
        {"model": "m", "prompt": "a", "temperature": "warm", "echo": []},
        b"\xff{",
        b'{"valid": "JSON"}',
    ]
    requests = invalid_requests(generated, VALID, OPENAI, WANTED)
    defects = [(request.defect, request.parameter) for request in requests]
    assert defects == [
        (Defect.TYPE, "prompt"),
        (Defect.TYPE, "temperature"),
        (Defect.TYPE, "echo"),
        (Defect.RANGE, "n"),
        (Defect.MODEL, "model"),
        (Defect.JSON, ""),
    ]
    bodies = [json.loads(request.raw) for request in requests[:4]]
    assert [body["temperature"] for body in bodies if "temperature" in body] == ["hot"]
    assert all(body["max_tokens"] == 1 for body in bodies)
    streams = [request.parameter for request in requests if request.streams]
    assert streams == ["n"]
    assert requests[4].raw == b'{"prompt":"1","max_tokens":1}'
    assert requests[5].raw == b"\xff{"


def test_long_values_are_not_sent() -> None:
    generated = [{"temperature": "x" * MAX_VALUE_BYTES}, {"echo": "x" * (MAX_VALUE_BYTES // 2)}]
    requests = invalid_requests(generated, VALID, OPENAI, {Defect.TYPE: 2})
    assert [request.parameter for request in requests] == ["echo"]


@pytest.mark.parametrize("document", CONTRACTS)
def test_invalid_requests_violate_one_parameter(document: str) -> None:
    contract = load_contract(document)
    valid, *_ = generate_bodies(contract, "m", "positive", 1, 0)
    assert contract.validate_request(valid) == ()
    requests = invalid_requests(
        generate_bodies(contract, "m", "negative", 60, 0), valid, contract, WANTED
    )
    optional = set() if contract.parameter("model").required else {Defect.MODEL}
    if document == "ollama":  # its page states no limits
        optional.add(Defect.RANGE)
    assert {request.defect for request in requests} == set(Defect) - optional
    for request in requests:
        if request.defect is not Defect.JSON:
            broken = contract.validate_request(json.loads(request.raw))
            assert {found.path.partition("[")[0].partition(".")[0] for found in broken} <= {
                request.parameter,
                "",
            }
            assert broken
