"""Responses are validated by schemathesis' checks and by the suite's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.generation.schemathesis_checks import (
    HEADERS,
    STATUS,
    TYPE,
    assert_completion_fits,
    assert_described,
    assert_error_fits,
    assert_stream_fits,
)
from conformance.judgement import Failure, Inconclusive
from conformance.model import Exchange, Request
from conformance.protocol.response import Response
from conformance.testing import FakeEndpoint

OPENAI = load_contract("openai")
API = Api(FakeEndpoint(OPENAI), OPENAI, "m")

CHOICE = {"text": "a", "index": 0, "finish_reason": "stop"}
RESPONSE: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_700_000_000,
    "model": "m",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
ERROR: dict[str, Any] = {"error": {"message": "m", "type": "t", "param": None, "code": None}}
JSON, EVENTS = "application/json", "text/event-stream"


def response(
    body: Any, status: int = 200, type_: str | None = JSON, fault: str | None = None, **more: str
) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = tuple(more.items()) if type_ is None else (("Content-Type", type_), *more.items())
    request = Request("POST", "/completions")
    return Response(Exchange("x", request, (), status, headers, raw, (), 0.1, fault))


def stream(*chunks: Any, done: bool = True) -> bytes:
    events = [json.dumps(chunk) for chunk in chunks] + ["[DONE]"] * done
    return "".join(f"data: {data}\n\n" for data in events).encode()


def test_conforming_responses_pass() -> None:
    assert_completion_fits(response(RESPONSE), API)
    assert_completion_fits(response({**RESPONSE, "timings": {}}), API)
    assert_error_fits(response(ERROR, 400), API)
    assert_error_fits(response(ERROR, 418), API)
    assert_stream_fits(response(stream(RESPONSE | {"usage": None}), type_=EVENTS), API)
    assert_described(
        response(RESPONSE, type_="application/json; charset=utf-8"), API, TYPE, STATUS, HEADERS
    )
    assert_described(response(ERROR, 429, **{"Retry-After": "7"}), API, HEADERS)


@pytest.mark.parametrize(
    ("response", "seen"),
    [
        (response({**RESPONSE, "id": ""}), "non-empty"),
        (response({k: v for k, v in RESPONSE.items() if k != "usage"}), "usage"),
        (response({**RESPONSE, "choices": []}), "non-empty"),
        (response({**RESPONSE, "object": "chat.completion"}), "text_completion"),
        # JSON Schema takes 1700000000.0 as an integer, typed clients do not.
        (response({**RESPONSE, "created": 1_700_000_000.0}), "created"),
        (response(b'{"id": '), "JSON"),
        (response(json.dumps(RESPONSE).encode() + b"}"), "JSON"),
        (response(RESPONSE, 302), "302"),
    ],
)
def test_completions_that_violate_the_schema_deviate(response: Response, seen: str) -> None:
    with pytest.raises(Failure) as broken:
        assert_completion_fits(response, API)
    assert seen.lower() in broken.value.seen.lower() or seen in broken.value.expected


@pytest.mark.parametrize(
    "response",
    [
        response({"detail": "no"}, 422),
        response({"error": "no"}, 400),
        response({"error": {"message": "", "type": "t", "param": None, "code": None}}, 400),
        response({"error": {"message": "m"}}, 404),
        response(b"<html>", 400, type_="text/html"),
    ],
)
def test_errors_that_violate_the_schema_deviate(response: Response) -> None:
    with pytest.raises(Failure):
        assert_error_fits(response, API)


@pytest.mark.parametrize("type_", ["text/html", "nonsense", None])
def test_undescribed_content_type_deviates(type_: str | None) -> None:
    with pytest.raises(Failure):
        assert_described(response(RESPONSE, type_=type_), API, TYPE)


@pytest.mark.parametrize(
    "body",
    [
        stream(RESPONSE, done=False),
        stream(),
        stream(RESPONSE, {**RESPONSE, "object": "chat.completion.chunk"}),
        stream({**RESPONSE, "choices": [{"delta": {"content": "a"}, "index": 0}]}),
        b"data: {'a': 1}\n\ndata: [DONE]\n\n",
    ],
)
def test_streams_that_violate_the_schema_deviate(body: bytes) -> None:
    with pytest.raises(Failure):
        assert_stream_fits(response(body, type_=EVENTS), API)


def test_stream_is_read_to_its_end() -> None:
    # The library reads the first twenty events; the suite reads all.
    chunks = [RESPONSE] * 30
    assert_stream_fits(response(stream(*chunks), type_=EVENTS), API)
    with pytest.raises(Failure):
        assert_stream_fits(response(stream(*chunks, {**RESPONSE, "id": 7}), type_=EVENTS), API)


def test_incomplete_response_is_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        assert_completion_fits(response(b'{"id"', fault="the connection was closed"), API)
