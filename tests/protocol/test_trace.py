"""What an answer has is read once, and what it has not is nobody's to judge."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract import load_contract
from conformance.judgement import NotApplicable
from conformance.model import Exchange, Finding, Level, Request, Tier, Verdict
from conformance.protocol.trace import Answered, WholeRun
from conformance.testing import ImaginedEndpoint
from conformance.testing.fake_endpoint import MODEL

OPENAI = load_contract("openai")


def exchanged(**body: Any) -> Exchange:
    raw = json.dumps({"model": MODEL, "max_tokens": 4, "temperature": 0, **body}).encode()
    return asyncio.run(ImaginedEndpoint(OPENAI).send(Request("POST", "/completions", raw)))


def answered(**body: Any) -> Answered:
    return Answered(exchanged(**body), OPENAI)


def test_a_completion_is_read_once() -> None:
    answer = answered(prompt="1, 2,", stream=True)
    assert answer.completion is answer.completion
    assert answer.completion.text == " 3, 4,"
    assert answer.payloads is answer.payloads
    assert all(isinstance(told, dict) for _, told in answer.payloads)


def test_choices_come_with_the_numbers_of_their_prompts() -> None:
    answer = answered(prompt=["1, 2,", "5, 6,"], n=2, temperature=1)
    assert [number for number, _ in answer.numbered] == [0, 0, 1, 1]


def test_choices_that_were_not_asked_for_have_no_prompts() -> None:
    answer = answered(prompt="1, 2,", n=2, temperature=1)
    asked_for_three = replace(
        answer.exchange, request=exchanged(prompt="1, 2,", n=3, temperature=1).request
    )
    with pytest.raises(NotApplicable):
        _ = Answered(asked_for_three, OPENAI).numbered


def test_what_was_generated_follows_the_echo() -> None:
    answer = answered(prompt="1, 2,", echo=True)
    ((number, choice),) = answer.numbered
    assert answer.generated(number, choice) == " 3, 4,"
    lost = answered(prompt="1, 2,")
    pretended = Answered(replace(lost.exchange, request=answer.exchange.request), OPENAI)
    with pytest.raises(NotApplicable):
        pretended.generated(*pretended.numbered[0])


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
def test_an_answer_that_is_none_has_no_completion(change: dict[str, Any]) -> None:
    answer = Answered(replace(exchanged(prompt="1, 2,"), **change), OPENAI)
    for _ in range(2):  # what was found once is found again
        with pytest.raises(NotApplicable):
            _ = answer.completion


def test_a_stream_that_the_suite_hung_up_on_is_not_whole() -> None:
    whole = exchanged(prompt="1, 2,", stream=True)
    cut = replace(whole, request=replace(whole.request, read_events=2))
    assert Answered(whole, OPENAI).is_whole
    assert not Answered(cut, OPENAI).is_whole


def test_a_bill_that_nobody_asked_for_is_not_judged() -> None:
    assert answered(prompt="1, 2,").bill.completion_tokens == 4
    billed = answered(prompt="1, 2,", stream=True, stream_options={"include_usage": True})
    assert billed.bill.completion_tokens == 4
    unasked = Answered(
        replace(billed.exchange, request=exchanged(prompt="1, 2,", stream=True).request), OPENAI
    )
    with pytest.raises(NotApplicable):
        _ = unasked.bill


def test_a_run_knows_who_was_accused_of_what() -> None:
    def found(check: str, verdict: Verdict) -> Finding:
        return Finding(check, "t", f"{check}-requirement", Level.MUST, "s", Tier.SMOKE, verdict)

    run = WholeRun((), (found("a", Verdict.PASS), found("b", Verdict.WARN)))
    assert run.accuser_of("b-requirement") == "b"
    assert run.accuser_of("a-requirement") is None
    assert run.accuser_among(["a", "c"]) is None
    assert run.accuser_among(["a", "b"]) == "b"
