"""The parts of a response are parsed once; missing parts are not judged."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract import load_contract
from conformance.judgement import NotApplicable
from conformance.model import Exchange, Request
from conformance.protocol.trace import RecordedExchange
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL

OPENAI = load_contract("openai")


def exchanged(**body: Any) -> Exchange:
    raw = json.dumps({"model": MODEL, "max_tokens": 4, "temperature": 0, **body}).encode()
    return asyncio.run(FakeEndpoint(OPENAI).send(Request("POST", "/completions", raw)))


def answered(**body: Any) -> RecordedExchange:
    return RecordedExchange(exchanged(**body), OPENAI)


def test_completion_is_parsed_once() -> None:
    exchange = answered(prompt="1, 2,", stream=True)
    assert exchange.completion is exchange.completion
    assert exchange.completion.text == " 3, 4,"
    assert exchange.response.payloads is exchange.response.payloads
    assert all(isinstance(result, dict) for _, result in exchange.payloads)


def test_choices_have_the_numbers_of_their_prompts() -> None:
    exchange = answered(prompt=["1, 2,", "5, 6,"], n=2, temperature=1)
    assert [number for number, _ in exchange.numbered] == [0, 0, 1, 1]


def test_unrequested_choices_have_no_prompts() -> None:
    response = answered(prompt="1, 2,", n=2, temperature=1)
    request_for_three = replace(
        response.exchange, request=exchanged(prompt="1, 2,", n=3, temperature=1).request
    )
    with pytest.raises(NotApplicable):
        _ = RecordedExchange(request_for_three, OPENAI).numbered


def test_generated_text_follows_the_echo() -> None:
    exchange = answered(prompt="1, 2,", echo=True)
    ((number, choice),) = exchange.numbered
    assert exchange.generated(number, choice) == " 3, 4,"
    lost = answered(prompt="1, 2,")
    faked = RecordedExchange(replace(lost.exchange, request=exchange.exchange.request), OPENAI)
    with pytest.raises(NotApplicable):
        faked.generated(*faked.numbered[0])


@pytest.mark.parametrize(
    "change",
    [
        {"status": 429},
        {"status": 500},
        {"fault": "it broke off"},
        {"body": b"<html>"},
        {"body": b'{"error": {"message": "no"}}'},
        {"body": b"\xff\xfe"},
        {"body": b"data: [DONE]\n\n"},
    ],
)
def test_invalid_response_has_no_completion(change: dict[str, Any]) -> None:
    exchange = RecordedExchange(replace(exchanged(prompt="1, 2,"), **change), OPENAI)
    for _ in range(2):  # what was found once is found again
        with pytest.raises(NotApplicable):
            _ = exchange.completion


def test_stream_closed_by_the_suite_is_not_whole() -> None:
    whole = exchanged(prompt="1, 2,", stream=True)
    cut = replace(whole, request=replace(whole.request, read_events=2))
    assert RecordedExchange(whole, OPENAI).is_whole
    assert not RecordedExchange(cut, OPENAI).is_whole


def test_unrequested_usage_is_not_judged() -> None:
    assert answered(prompt="1, 2,").usage.completion_tokens == 4
    counted = answered(prompt="1, 2,", stream=True, stream_options={"include_usage": True})
    assert counted.usage.completion_tokens == 4
    unasked = RecordedExchange(
        replace(counted.exchange, request=exchanged(prompt="1, 2,", stream=True).request), OPENAI
    )
    with pytest.raises(NotApplicable):
        _ = unasked.usage
