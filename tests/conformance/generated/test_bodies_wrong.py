"""Wrong requests: one thing is wrong in each, and nobody can mean it otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.generated.bodies_wrong import (
    LONGEST,
    Wrong,
    what_is_wrong,
    wrong_requests,
)
from conformance.generated.schema_drawing import draw

OPENAI = load_contract("openai")
RIGHT: dict[str, Any] = {"model": "m", "prompt": "1", "max_tokens": 1}
WANTED = {Wrong.TYPE: 3, Wrong.RANGE: 2, Wrong.MODEL: 1, Wrong.JSON: 1}


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
def test_a_value_of_a_type_that_nobody_can_read_is_wrong(name: str, value: Any) -> None:
    assert what_is_wrong(OPENAI.parameter(name), value) is Wrong.TYPE


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
def test_a_value_beyond_a_stated_limit_is_wrong(name: str, value: Any) -> None:
    assert what_is_wrong(OPENAI.parameter(name), value) is Wrong.RANGE


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
        # What is asked too much for is paid for where it is served, or served as far as it goes.
        ("n", 10**9),
        ("best_of", 21),
        ("max_tokens", -1),
        ("logprobs", 6),
    ],
)
def test_what_somebody_could_mean_is_not_called_wrong(name: str, value: Any) -> None:
    assert what_is_wrong(OPENAI.parameter(name), value) is None


def test_a_limit_that_the_document_does_not_state_is_none() -> None:
    aocheng = load_contract("aocheng")
    assert what_is_wrong(aocheng.parameter("presence_penalty"), 3) is None
    assert what_is_wrong(aocheng.parameter("stop"), list("abcde")) is None


def test_one_thing_is_wrong_in_each_and_another_in_the_next() -> None:
    drawn = [
        {"model": "m", "prompt": {}, "temperature": "hot", "n": 0},
        {"model": "m", "prompt": "a", "temperature": "warm", "echo": []},
        b"\xff{",
        b'{"right": "JSON"}',
    ]
    requests = wrong_requests(drawn, RIGHT, OPENAI, WANTED)
    told = [(request.wrong, request.parameter) for request in requests]
    assert told == [
        (Wrong.TYPE, "prompt"),
        (Wrong.TYPE, "temperature"),
        (Wrong.TYPE, "echo"),
        (Wrong.RANGE, "n"),
        (Wrong.MODEL, "model"),
        (Wrong.JSON, ""),
    ]
    bodies = [json.loads(request.raw) for request in requests[:4]]
    assert [body["temperature"] for body in bodies if "temperature" in body] == ["hot"]
    assert all(body["max_tokens"] == 1 for body in bodies)
    streams = [request.parameter for request in requests if request.streams]
    assert streams == ["n"]
    assert requests[4].raw == b'{"prompt":"1","max_tokens":1}'
    assert requests[5].raw == b"\xff{"


def test_what_a_reader_cannot_take_in_is_not_sent() -> None:
    drawn = [{"temperature": "x" * LONGEST}, {"echo": "x" * (LONGEST // 2)}]
    requests = wrong_requests(drawn, RIGHT, OPENAI, {Wrong.TYPE: 2})
    assert [request.parameter for request in requests] == ["echo"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_drawn_breaks_the_contract_in_one_place(document: str) -> None:
    contract = load_contract(document)
    right, *_ = draw(contract, "m", "positive", 1, 0)
    assert contract.validate_request(right) == ()
    requests = wrong_requests(draw(contract, "m", "negative", 60, 0), right, contract, WANTED)
    assert {request.wrong for request in requests} == set(Wrong)
    for request in requests:
        if request.wrong is not Wrong.JSON:
            broken = contract.validate_request(json.loads(request.raw))
            assert {found.path.partition("[")[0].partition(".")[0] for found in broken} <= {
                request.parameter,
                "",
            }
            assert broken
