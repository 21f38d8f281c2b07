"""Which errors need a type and a parameter name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api, encode
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Arrival, Attempt, Exchange, Request, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from tests.checks.catalogue import CHECKS

OPENAI = load_contract("openai")
HOT = {"prompt": "1", "temperature": "hot"}
WARN, PASS, SKIPPED = Verdict.WARN, Verdict.PASS, Verdict.SKIPPED


class Unused:
    async def send(self, *_: Request, **__: bool) -> Exchange:
        raise AssertionError("nothing is asked")


def refused(request_body: dict[str, Any], *, status: int = 400, **error: Any) -> RecordedExchange:
    result = {"message": "no", "type": "invalid_request_error", "param": None, "code": None}
    return answered(request_body, {**result, **error}, status=status)


def answered(
    request_body: dict[str, Any], error: dict[str, Any], *, status: int = 400
) -> RecordedExchange:
    body = encode({"error": error})
    request = Request("POST", "/completions", encode({"model": "m", **request_body}))
    attempt, arrivals = Attempt(0.0, 0.1, status, None), (Arrival(0.1, len(body)),)
    headers = (("content-type", "application/json"),)
    exchange = Exchange("x1", request, (attempt,), status, headers, body, arrivals, 0.1)
    return RecordedExchange(exchange, OPENAI)


def verdict(check_id: str, exchange: RecordedExchange) -> Verdict:
    api = Api(Unused(), OPENAI, "m", trace=Trace((exchange,)))
    return asyncio.run(judge(CHECKS[check_id], api)).verdict


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (refused(HOT), PASS),
        (refused(HOT, type="new_api_error"), WARN),
        (refused({**HOT, "stream": True}, type=None), WARN),
        (refused(HOT, status=404, type="x"), SKIPPED),
        (refused({"prompt": "1"}, type="x"), SKIPPED),
    ],
)
def test_error_of_a_bad_value_is_typed(exchange: RecordedExchange, expected: Verdict) -> None:
    assert verdict("errors.type-everywhere", exchange) is expected


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (refused(HOT, param="temperature"), PASS),
        (refused(HOT, message="'temperature' 必须是数字"), PASS),
        (refused(HOT, message="temperatures are bad"), WARN),
        (refused(HOT, param="top_p"), WARN),
        (refused({"stream_options": {"include_usage": 1}}, param="stream_options"), PASS),
        (refused({"stream_options": {"include_usage": 1}}, param="include_usage"), PASS),
        (refused({"stream_options": {"include_usage": 1}}, param="stream"), WARN),
        (refused({**HOT, "n": "two"}, message="n is no number"), PASS),
        (refused({"prompt": "1"}, message="no"), SKIPPED),
    ],
)
def test_error_of_a_bad_value_names_its_parameter(
    exchange: RecordedExchange, expected: Verdict
) -> None:
    assert verdict("errors.param-everywhere", exchange) is expected


def test_named_in_words_says_nothing_of_param() -> None:
    """llama.cpp's errors name the parameter in the message, and have no ``param`` at all."""
    error = {"message": "Field 'temperature': no", "type": "invalid_request_error", "code": 400}
    assert verdict("errors.param-everywhere", answered(HOT, error)) is SKIPPED
    assert verdict("errors.param-everywhere", answered(HOT, {**error, "message": "no"})) is WARN


@pytest.mark.parametrize(
    ("error", "expected"),
    [({}, PASS), ({"code": 400}, PASS), ({"code": {"a": 1}}, WARN), ({"param": 7}, WARN)],
)
def test_every_error_follows_the_schema(error: dict[str, Any], expected: Verdict) -> None:
    assert verdict("errors.schema-everywhere", refused(HOT, **error)) is expected


STREAMED = {"prompt": "1", "stream": True, "max_tokens": 10_000_000}


def as_stream(body: bytes, *, read_events: int | None = 3) -> RecordedExchange:
    known = refused(STREAMED).exchange
    request = replace(known.request, read_events=read_events)
    headers = (("content-type", "text/event-stream"),)
    return RecordedExchange(replace(known, request=request, headers=headers, body=body), OPENAI)


def test_document_called_a_stream_is_told_once() -> None:
    document = as_stream(refused(STREAMED).exchange.body)
    assert verdict("errors.content-type-everywhere", document) is Verdict.FAIL
    assert verdict("errors.stream-as-json-everywhere", document) is PASS


def test_events_in_place_of_an_error_are_told() -> None:
    events = as_stream(b'data: {"error": {"message": "no"}}\n\n')
    assert verdict("errors.content-type-everywhere", events) is SKIPPED
    assert verdict("errors.stream-as-json-everywhere", events) is Verdict.FAIL
