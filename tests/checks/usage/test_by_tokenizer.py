"""A count that differs from the tokenizer's is reported only if the tokenizer is known to fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from conformance.api import Api, encode
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Exchange, Finding, Request, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.tokenizer import Tokenizer
from reference_server.behaviour.builders import usage
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import prompts_of
from reference_server.behaviour.registry import all_variants
from tests.checks.catalogue import CHECKS, findings
from tests.checks.traffic import ITS_OWN, answers_of
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
CHECK = CHECKS["usage.prompt-by-tokenizer-everywhere"]
PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE

own = ITS_OWN.count


def chinese_apart(text: str) -> int:
    """Count as the endpoint does, but a token for every two Chinese characters."""
    chinese = sum("一" <= character <= "龥" for character in text)
    return own(text) - chinese + (chinese + 1) // 2


WRONG: dict[str, Callable[[str], int]] = {
    "characters": len,
    "bytes": lambda text: len(text.encode()),
    "words": lambda text: len(text.split()),
    "one more for every ten": lambda text: own(text) + own(text) // 10,
    "another one for digits": lambda text: own(text) - sum(map(str.isdigit, text)) // 2,
    "another one for Chinese": chinese_apart,
    "another one for line breaks": lambda text: own(text) + text.count("\n"),
    "nothing": lambda _: 0,
}
"""Tokenizers that a user may name by mistake."""


class Unused:
    async def send(self, *_: Request, **__: bool) -> Exchange:
        raise AssertionError("nothing is asked")


@cache
def traffic(shown: str) -> tuple[RecordedExchange, ...]:
    return asyncio.run(answers_of(FakeServer(shown)))


def judged(
    exchanges: tuple[RecordedExchange, ...], count: Callable[[str], int] | None = own
) -> Finding:
    tokenizer = count and Tokenizer("named", count)
    api = Api(Unused(), OPENAI, "m", trace=Trace(exchanges), tokenizer=tokenizer)
    return asyncio.run(judge(CHECK, api))


def without_scores(exchanges: tuple[RecordedExchange, ...]) -> tuple[RecordedExchange, ...]:
    """What an endpoint without log probabilities answers."""
    return tuple(one for one in exchanges if b'"logprobs":' not in one.exchange.request.body)


def test_right_tokenizer_agrees() -> None:
    assert judged(traffic("none")).verdict is PASS


def test_prompt_that_is_no_text_is_left_out() -> None:
    def strict(text: str) -> int:
        return len(text.encode()) and own(text)

    asked = encode({"model": MODEL, "prompt": "a \ud800", "max_tokens": 1})
    odd = asyncio.run(FakeServer().send(Request("POST", "/completions", asked)))
    exchanges = (*traffic("none"), RecordedExchange(odd, OPENAI))
    assert judged(exchanges, strict).verdict is PASS


def test_without_a_tokenizer_nothing_is_judged() -> None:
    assert judged(traffic("none"), None).verdict is Verdict.SKIPPED


@pytest.mark.parametrize("count", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("scored", [True, False])
def test_wrong_tokenizer_is_no_finding(count: Callable[[str], int], scored: bool) -> None:
    exchanges = traffic("none") if scored else without_scores(traffic("none"))
    found = judged(exchanges, count)
    assert found.verdict is INCONCLUSIVE, found.message
    assert "the tokenizer named does not fit" in found.message


@pytest.mark.parametrize("server", ["start-token-billed", "start-token-listed"])
def test_start_tokens_are_accepted(server: str) -> None:
    assert judged(traffic(server)).verdict is PASS


@pytest.mark.parametrize("name", [v.name for v in all_variants().values() if v.area == "usage"])
def test_variants_of_usage_are_not_reported(name: str) -> None:
    assert judged(traffic(name)).verdict in {PASS, INCONCLUSIVE}


@pytest.mark.parametrize("scored", [True, False])
def test_constant_addition_is_told_as_such(scored: bool) -> None:
    answers = traffic("hidden-prompt-billed")
    found = judged(answers if scored else without_scores(answers))
    assert found.verdict is FAIL
    assert "12 more for every prompt" in found.message


@pytest.mark.parametrize(
    "server",
    ["prompt-multiplied", "prompt-by-words", "prompt-by-length", "hidden-prompt-billed@stream"],
)
def test_wrong_counts_are_found(server: str) -> None:
    assert judged(traffic(server)).verdict is FAIL


def test_wrong_counts_without_scores_stay_open() -> None:
    found = judged(without_scores(traffic("prompt-multiplied")))
    assert found.verdict is INCONCLUSIVE


def surcharged() -> Behaviour:
    """A token more for every prompt of text with more than thirty characters."""

    def of(request: Body, counted: Body) -> Body:
        more = sum(map(surcharge, prompts_of(request)))
        return {name: counted[name] + more for name in ("prompt_tokens", "total_tokens")}

    return usage(of)


def surcharge(prompt: Any) -> int:
    return isinstance(prompt, str) and len(prompt) > 30


def test_only_the_tokenizer_shows_a_surcharge() -> None:
    about = [check for check in CHECKS.values() if check.requirement.startswith("usage.")]
    broken = {
        finding.id
        for finding in findings(surcharged(), about).values()
        if finding.verdict in {FAIL, Verdict.WARN}
    }
    assert broken == {CHECK.id}
