"""Answers beside the contract's description, by the library's checks and by the suite's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.answers import Reply
from conformance.api import Api
from conformance.contract import load_contract
from conformance.generated.schema_judging import (
    HEADERS,
    STATUS,
    TYPE,
    hold,
    hold_plain,
    hold_refusal,
    hold_stream,
)
from conformance.imagined import ImaginedEndpoint
from conformance.judgement import Deviation, Inconclusive
from conformance.model import Exchange, Request

OPENAI = load_contract("openai")
API = Api(ImaginedEndpoint(OPENAI), OPENAI, "m")

CHOICE = {"text": "a", "index": 0, "finish_reason": "stop"}
ANSWER: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_700_000_000,
    "model": "m",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
ERROR: dict[str, Any] = {"error": {"message": "m", "type": "t", "param": None, "code": None}}
JSON, EVENTS = "application/json", "text/event-stream"


def reply(
    body: Any, status: int = 200, type_: str | None = JSON, fault: str | None = None, **more: str
) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = tuple(more.items()) if type_ is None else (("Content-Type", type_), *more.items())
    request = Request("POST", "/completions")
    return Reply(Exchange("x", request, (), status, headers, raw, (), 0.1, fault))


def stream(*chunks: Any, done: bool = True) -> bytes:
    told = [json.dumps(chunk) for chunk in chunks] + ["[DONE]"] * done
    return "".join(f"data: {data}\n\n" for data in told).encode()


def test_right_answers_are_let_pass() -> None:
    hold_plain(reply(ANSWER), API)
    hold_plain(reply({**ANSWER, "timings": {}}), API)
    hold_refusal(reply(ERROR, 400), API)
    hold_refusal(reply(ERROR, 418), API)
    hold_stream(reply(stream(ANSWER | {"usage": None}), type_=EVENTS), API)
    hold(reply(ANSWER, type_="application/json; charset=utf-8"), API, TYPE, STATUS, HEADERS)
    hold(reply(ERROR, 429, **{"Retry-After": "7"}), API, HEADERS)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (reply({**ANSWER, "id": ""}), "shorter"),
        (reply({k: v for k, v in ANSWER.items() if k != "usage"}), "usage"),
        (reply({**ANSWER, "choices": []}), "less than 1 item"),
        (reply({**ANSWER, "object": "chat.completion"}), "text_completion"),
        # To a schema 1700000000.0 is an integer, to typed clients it is none.
        (reply({**ANSWER, "created": 1_700_000_000.0}), "created"),
        (reply(b'{"id": '), "JSON"),
        (reply(json.dumps(ANSWER).encode() + b"}"), "JSON"),
        (reply(ANSWER, 302), "302"),
    ],
)
def test_plain_answers_that_break_the_schema_are_told_of(answer: Reply, seen: str) -> None:
    with pytest.raises(Deviation) as broken:
        hold_plain(answer, API)
    assert seen.lower() in broken.value.seen.lower() or seen in broken.value.expected


@pytest.mark.parametrize(
    "answer",
    [
        reply({"detail": "no"}, 422),
        reply({"error": "no"}, 400),
        reply({"error": {"message": "", "type": "t", "param": None, "code": None}}, 400),
        reply({"error": {"message": "m"}}, 404),
        reply(b"<html>", 400, type_="text/html"),
    ],
)
def test_refusals_that_break_the_schema_are_told_of(answer: Reply) -> None:
    with pytest.raises(Deviation):
        hold_refusal(answer, API)


@pytest.mark.parametrize("type_", ["text/html", "nonsense", None])
def test_a_content_type_that_nobody_describes_is_told_of(type_: str | None) -> None:
    with pytest.raises(Deviation):
        hold(reply(ANSWER, type_=type_), API, TYPE)


@pytest.mark.parametrize(
    "body",
    [
        stream(ANSWER, done=False),
        stream(),
        stream(ANSWER, {**ANSWER, "object": "chat.completion.chunk"}),
        stream({**ANSWER, "choices": [{"delta": {"content": "a"}, "index": 0}]}),
        b"data: {'a': 1}\n\ndata: [DONE]\n\n",
    ],
)
def test_streams_that_break_the_schema_are_told_of(body: bytes) -> None:
    with pytest.raises(Deviation):
        hold_stream(reply(body, type_=EVENTS), API)


def test_a_stream_is_read_to_its_end() -> None:
    # The library reads twenty events of one; what is wrong with the last is found all the same.
    chunks = [ANSWER] * 30
    hold_stream(reply(stream(*chunks), type_=EVENTS), API)
    with pytest.raises(Deviation):
        hold_stream(reply(stream(*chunks, {**ANSWER, "id": 7}), type_=EVENTS), API)


def test_an_answer_that_did_not_come_whole_is_not_judged() -> None:
    with pytest.raises(Inconclusive):
        hold_plain(reply(b'{"id"', fault="the connection was closed"), API)
