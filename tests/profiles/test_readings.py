"""Readings judge whatever an endpoint sends, and never fail at it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract import load_contract
from conformance.judgement import Failure, Judgement, NotApplicable, Refusal
from conformance.model import Exchange
from conformance.profiles import COMPARISONS, READINGS
from conformance.profiles.readings import choices_in_order, prompt_scores, stopped
from conformance.protocol.trace import RecordedExchange
from tests.report.builders import an_exchange

OPENAI = load_contract("openai")
SCORED = {"prompt": [[1, 2, 3]], "max_tokens": 1, "echo": True, "logprobs": 1}
STREAMED = {"prompt": "1", "max_tokens": 4, "stream": True}
STOPPED = {"prompt": "1", "max_tokens": 4, "stop": ["b", "c"]}

VALUES: list[Any] = [None, 0, -1, True, "", "a", [], [None], {}, {"a": 1}, [[]], 1e308]
SHAPES: list[Any] = [
    *VALUES,
    *({"choices": value} for value in VALUES),
    *({"choices": [value]} for value in VALUES),
    *({"choices": [{"text": value, "index": value}], "usage": value} for value in VALUES),
    *({"choices": [{"text": "a", "index": 0, "logprobs": value}]} for value in VALUES),
    *(
        {
            "choices": [
                {
                    "text": "a",
                    "index": 0,
                    "finish_reason": value,
                    "logprobs": {"token_logprobs": value, "top_logprobs": value, "tokens": value},
                }
            ],
            "usage": {"completion_tokens": value, "prompt_tokens": value},
        }
        for value in VALUES
    ),
]
BODIES = [
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b"data: [DONE]\n\n",
    b"data: \n\ndata: {}\n\n",
    *(json.dumps(shape).encode() for shape in SHAPES),
    *(f"data: {json.dumps(shape)}\n\ndata: [DONE]\n\n".encode() for shape in SHAPES),
]


def seen(request: dict[str, Any], body: bytes | dict[str, Any], **changes: Any) -> RecordedExchange:
    exchange: Exchange = an_exchange(request={"model": "m", **request}, body=body, **changes)
    return RecordedExchange(exchange, OPENAI)


@pytest.mark.parametrize("name", sorted((*READINGS, *COMPARISONS)))
def test_no_response_breaks_a_reading(name: str) -> None:
    for request in (SCORED, STREAMED, STOPPED):
        for body in BODIES:
            for status in (200, 400, 500, None):
                one = seen(request, body, status=status)
                try:
                    if name in READINGS:
                        READINGS[name](one)
                    else:
                        COMPARISONS[name](one, [one])
                except Judgement:
                    pass


def completion(*texts: str, finish: str = "length", **more: Any) -> dict[str, Any]:
    choices = [
        {"text": text, "index": index, "finish_reason": finish, **more}
        for index, text in enumerate(texts)
    ]
    return {"choices": choices}


def test_scores_are_those_of_ids_and_one_token() -> None:
    scores = {"token_logprobs": [None, -1.0, -2.0, -3.0]}
    prompt_scores(seen(SCORED, completion("abcd", logprobs=scores)))
    for wrong in ([-3.0], [None, -1.0, -2.0], [None, None, -2.0, -3.0]):
        with pytest.raises(Failure):
            prompt_scores(seen(SCORED, completion("d", logprobs={"token_logprobs": wrong})))


def test_stop_is_shown_only_where_it_occurred() -> None:
    stopped(seen(STOPPED, completion("a", finish="stop")))
    with pytest.raises(Failure):
        stopped(seen(STOPPED, completion("abd", finish="stop")))
    with pytest.raises(NotApplicable):
        stopped(seen(STOPPED, completion("aaaa")))


def test_order_is_that_of_texts_not_of_indexes() -> None:
    batch = {"prompt": ["1", "a"], "max_tokens": 4}
    alone = [
        seen({**batch, "prompt": ["1"]}, completion("2")),
        seen({**batch, "prompt": ["a"]}, completion("b")),
    ]
    choices_in_order(seen(batch, completion("2", "b")), alone)
    with pytest.raises(Failure):
        choices_in_order(seen(batch, completion("b", "2")), alone)
    with pytest.raises(NotApplicable):
        choices_in_order(seen(batch, completion("b", "x")), alone)


def test_rejection_is_told_as_one() -> None:
    refused = seen(STOPPED, {"error": {"message": "no"}}, status=400)
    with pytest.raises(Refusal, match="refused with 400: no"):
        stopped(refused)
