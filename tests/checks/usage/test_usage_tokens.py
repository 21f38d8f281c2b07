"""Usage is judged only for prompts whose tokens can be counted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from conformance.api import Api, encode
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Arrival, Attempt, Exchange, Finding, Request, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from tests.checks.catalogue import CHECKS

OPENAI = load_contract("openai")
PASS, FAIL, SKIPPED = Verdict.PASS, Verdict.FAIL, Verdict.SKIPPED


class Unused:
    async def send(self, *_: Request, **__: bool) -> Exchange:
        raise AssertionError("nothing is asked")


def answered(
    request_body: dict[str, Any], prompt_tokens: int, completion_tokens: int, choice: Any, key="x1"
):
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    body = json.dumps({"choices": [{"index": 0, **choice}], "usage": usage}).encode()
    request = Request("POST", "/completions", encode({"model": "m", **request_body}))
    attempt = Attempt(0.0, 0.1, 200, None)
    arrivals = (Arrival(0.1, len(body)),)
    return RecordedExchange(
        Exchange(key, request, (attempt,), 200, (), body, arrivals, 0.1), OPENAI
    )


def verdict(check_id: str, exchange: RecordedExchange) -> Verdict:
    api = Api(Unused(), OPENAI, "m", trace=Trace((exchange,)))
    found: Finding = asyncio.run(judge(CHECKS[check_id], api))
    return found.verdict


@pytest.mark.parametrize(
    ("prompt", "counted", "expected"),
    [
        ([5, 6, 7, 8], 4, PASS),
        ([5, 6, 7, 8], 5, PASS),
        ([5, 6, 7, 8], 3, FAIL),
        ([5, 6, 7, 8], 9, FAIL),
        ([[5, 6, 7, 8], [9]], 5, PASS),
        ([[5, 6, 7, 8], [9]], 7, PASS),
        ([[5, 6, 7, 8], [9]], 4, FAIL),
        ("5 6 7 8", 99, SKIPPED),
    ],
)
def test_ids_are_counted_one_by_one(prompt: Any, counted: int, expected: Verdict) -> None:
    choice = {"text": " a", "finish_reason": "length"}
    response = answered({"prompt": prompt, "max_tokens": 1}, counted, 1, choice)
    assert verdict("usage.ids-counted-everywhere", response) is expected


def echoed(tokens: list[str], finish: str = "length", text: str | None = None) -> dict[str, Any]:
    arrays = {"tokens": tokens, "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    whole = "".join(tokens) if text is None else text
    return {"text": whole, "finish_reason": finish, "logprobs": arrays}


ECHO = {"prompt": "一二 3", "max_tokens": 1, "echo": True, "logprobs": 1}


@pytest.mark.parametrize(
    ("counted", "choice", "expected"),
    [
        (3, echoed(["一", "二", " 3", "!"]), PASS),
        (4, echoed(["一", "二", " 3", "!"]), PASS),
        (2, echoed(["一", "二", " 3", "!"]), PASS),
        (5, echoed(["一", "二", " 3", "!"]), FAIL),
        (0, echoed(["一", "二", " 3", "!"]), FAIL),
        (9, echoed(["bytes:\\xe4\\xb8", "bytes:\\x80", "二", " 3"], text="一二 3"), FAIL),
        (9, echoed(["一", "二", " 3", "!"], finish="stop"), SKIPPED),
        (9, echoed(["<s>", "一", "二", " 3", "!"], text="一二 3!"), SKIPPED),
        (9, echoed(["一", " 3", "!"], text="一二 3!"), SKIPPED),
        (9, {"text": "一二 3!", "finish_reason": "length", "logprobs": None}, SKIPPED),
    ],
)
def test_echoed_prompt_is_counted_with_its_tokens(
    counted: int, choice: Any, expected: Verdict
) -> None:
    assert (
        verdict("usage.echoed-counted-everywhere", answered(ECHO, counted, 1, choice)) is expected
    )


def test_excess_generation_makes_prompt_tokens_unknown() -> None:
    response = answered(ECHO, 99, 2, echoed(["一", "二", " 3", "!", "?"]))
    assert verdict("usage.echoed-counted-everywhere", response) is SKIPPED


def test_simplest_request_tells_the_usual_count() -> None:
    choice = {"text": " a", "finish_reason": "length"}
    plain = {"prompt": "5", "max_tokens": 1, "temperature": 0}
    asked = [{**plain, "suffix": None}, {**plain, "suffix": None, "n": 1}, plain]
    trace = Trace(
        tuple(
            answered(body, 9 if "suffix" in body else 3, 1, choice, f"x{number}")
            for number, body in enumerate(asked)
        )
    )
    api = Api(Unused(), OPENAI, "m", trace=trace)
    found: Finding = asyncio.run(judge(CHECKS["usage.prompt-alike-everywhere"], api))
    assert found.expected == "prompt_tokens = 3, as for the same prompt"
    assert "(2 of 2 responses" in str(found.seen)
