"""Cached tokens are judged only where responses contradict each other every time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from conformance.api import Api, encode
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Arrival, Attempt, Exchange, Finding, Request, Verdict
from conformance.protocol.cached_tokens import cached_tokens, stated_cached
from conformance.protocol.trace import RecordedExchange, Trace
from tests.checks.catalogue import CHECKS, findings

OPENAI = load_contract("openai")
PASS, FAIL, WARN, SKIPPED = Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.SKIPPED


@dataclass(frozen=True)
class Answer:
    """A response to a prompt: what its usage says."""

    prompt: Any
    prompt_tokens: int
    cached: object = None

    def at(self, second: int) -> RecordedExchange:
        """The response to a request that was sent at a time, and took half a second."""
        usage = {"prompt_tokens": self.prompt_tokens, "completion_tokens": 1, "total_tokens": 0}
        if self.cached is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": self.cached}
        prompts = self.prompt if isinstance(self.prompt, list) else [self.prompt]
        choices = [
            {"index": i, "text": "a", "finish_reason": "length"} for i, _ in enumerate(prompts)
        ]
        body = json.dumps({"choices": choices, "usage": usage}).encode()
        sent = encode({"model": "m", "prompt": self.prompt, "max_tokens": 1})
        tried = Attempt(float(second), 0.5, 200, None)
        arrived = (Arrival(0.5, len(body)),)
        request = Request("POST", "/completions", sent)
        exchange = Exchange(f"x{second:04}", request, (tried,), 200, (), body, arrived, 0.5)
        return RecordedExchange(exchange, OPENAI)


class Unused:
    async def send(self, *_: Request, **__: bool) -> Exchange:
        raise AssertionError("nothing is asked")


def found(check_id: str, answers: Sequence[Answer]) -> Finding:
    numbers = count(1)
    trace = Trace(tuple(answer.at(next(numbers)) for answer in answers))
    return asyncio.run(judge(CHECKS[check_id], Api(Unused(), OPENAI, "m", trace=trace)))


@pytest.mark.parametrize(
    ("cached", "expected"),
    [(0, PASS), (27, PASS), (28, FAIL), (-16, FAIL), (16.0, FAIL), ("16", FAIL), (True, FAIL)],
)
def test_cached_tokens_are_within_the_prompt(cached: object, expected: Verdict) -> None:
    finding = found("usage.cached-within-prompt-everywhere", [Answer("a", 27, cached)])
    assert finding.verdict is expected


def test_usage_without_cached_tokens_is_skipped() -> None:
    finding = found("usage.cached-within-prompt-everywhere", [Answer("a", 27), Answer("a", 27)])
    assert finding.verdict is SKIPPED


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (27, PASS),
        (11, FAIL),  # 27 less the 16 that are cached
        (43, FAIL),  # 27 and the 16 once more
        (30, PASS),  # wrong, and no matter of the cache: another check reports it
    ],
)
def test_prompt_tokens_include_cached_ones(counted: int, expected: Verdict) -> None:
    answers = [Answer("a", 27), Answer("a", counted, 16)]
    assert found("usage.cached-in-prompt-everywhere", answers).verdict is expected


ALONE = [Answer("a", 27), Answer("b", 40), Answer("a", 27, 16), Answer("b", 40, 32)] * 2


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([48, 48], PASS),
        ([32, 32], WARN),
        ([16, 32, 16], WARN),
        ([32], PASS),  # a replica may have lacked the other prompt once
        ([32, 48], PASS),
        ([0, 0], PASS),  # the batches may all have gone elsewhere
    ],
)
def test_batches_sum_cached_tokens(batches: list[int], expected: Verdict) -> None:
    known = [*ALONE[2:4], *ALONE[2:4]]
    answers = [*known, *(Answer(["a", "b"], 67, cached) for cached in batches)]
    assert found("usage.cached-sums-batch-everywhere", answers).verdict is expected


def test_changing_cache_leaves_batches_unjudged() -> None:
    answers = [*ALONE, *(Answer(["a", "b"], 67, 32) for _ in range(3))]
    assert found("usage.cached-sums-batch-everywhere", answers).verdict is SKIPPED


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("none", SKIPPED),
        ("cached-by-block", PASS),
        ("cached-missing-in-streams", WARN),
        ("cached-only-in-streams", WARN),
    ],
)
def test_streams_report_cached_tokens_alike(server: str, expected: Verdict) -> None:
    finding = findings(server, [CHECKS["usage.cached-streamed"]])["usage.cached-streamed"]
    assert finding.verdict is expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 16}}, 16),
        ({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 3}, 64),
        ({"cached_tokens": 5}, 5),
        ({"prompt_tokens_details": None, "cached_tokens": 5}, 5),
        ({"prompt_tokens_details": {"cached_tokens": None}}, None),
        ({"prompt_tokens_details": [1]}, None),
        ({}, None),
    ],
)
def test_cached_tokens_have_several_names(usage: dict[str, Any], expected: int | None) -> None:
    assert cached_tokens(usage) == expected
    assert list(stated_cached(usage)) == [] or expected is not None
