"""A few answers of real servers, each adjudicated by requests outside the suite.

`answers.ndjson.gz` has them as recorded: vLLM 0.32 on CPU, and llama.cpp's own HTTP server.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.api import Api, encode
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Arrival, Attempt, Effect, Exchange, Finding, Request, Verdict
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.transport.coalesce import RequestCoalescer
from tests.checks.catalogue import CHECKS

ANSWERS = Path(__file__).parent / "answers.ndjson.gz"
OPENAI = load_contract("openai")

LONE_BYTES = "[13, 190, 191,"
SAMPLED = '{"model": "tiny", "stream": true, "prompt": ["Once upon a time'
SAMPLED_PLAIN = '{"model": "tiny", "prompt": "Once upon a time'
SPECIAL = '"top_p": null, "n": 3'
SPECIAL_STREAMED = '"stream": true, "prompt": ["\\r\\nThe'


@cache
def answers(server: str) -> tuple[dict[str, Any], ...]:
    lines = gzip.decompress(ANSWERS.read_bytes()).decode().splitlines()
    return tuple(row for row in map(json.loads, lines) if row["server"] == server)


def exchange_of(row: dict[str, Any], request: Request, number: str) -> Exchange:
    body = row["body"].encode()
    headers = (("content-type", row["content_type"]),)
    attempts = (Attempt(0.0, 0.1, row["status"], None),)
    arrivals = (Arrival(0.1, len(body)),)
    return Exchange(number, request, attempts, row["status"], headers, body, arrivals, 0.1)


def looked_at(check_id: str, server: str, asked: str) -> Finding:
    """Let an invariant judge the recorded answers to those requests that contain a text."""
    found = [
        exchange_of(row, Request("POST", COMPLETIONS, encode(row["request"])), f"x{number}")
        for number, row in enumerate(answers(server))
        if asked in json.dumps(row["request"], ensure_ascii=False)
    ]
    assert found
    trace = Trace(tuple(RecordedExchange(exchange, OPENAI) for exchange in found))
    api = Api(RequestCoalescer(unanswered), OPENAI, "tiny", has_key=True, trace=trace)
    return asyncio.run(judge(CHECKS[check_id], api))


async def unanswered(request: Request) -> Exchange:
    raise AssertionError(f"an invariant asked {request.body!r}")


def asked(check_id: str, server: str) -> Finding:
    """Let a check ask, and answer as the server did."""
    numbers = count(1)

    async def send(request: Request) -> Exchange:
        body = json.loads(request.body)
        row = next(row for row in answers(server) if row["request"] == body)
        return exchange_of(row, request, f"x{next(numbers)}")

    model = answers(server)[0]["request"]["model"]
    api = Api(RequestCoalescer(send), OPENAI, model, has_key=True)
    return asyncio.run(judge(CHECKS[check_id], api))


@pytest.mark.parametrize(
    ("check_id", "request_part"),
    [
        ("text.whole-characters-everywhere", LONE_BYTES),
        ("text.whole-characters-everywhere", SAMPLED_PLAIN),
        ("streaming.whole-characters-everywhere", SAMPLED),
        ("logprobs-arrays.join-streamed-everywhere", SAMPLED),
    ],
)
def test_lone_bytes_are_no_finding(check_id: str, request_part: str) -> None:
    verdict = looked_at(check_id, "vllm", request_part).verdict
    assert verdict in {Verdict.PASS, Verdict.SKIPPED}


@pytest.mark.parametrize(
    ("check_id", "request_part"),
    [
        ("logprobs-arrays.join-everywhere", SPECIAL),
        ("logprobs-arrays.join-streamed-everywhere", SPECIAL_STREAMED),
    ],
)
def test_special_tokens_in_the_list_are_told(check_id: str, request_part: str) -> None:
    assert looked_at(check_id, "vllm", request_part).verdict is Verdict.FAIL


def test_fingerprint_of_the_last_chunk_is_seen() -> None:
    assert asked("envelope.system-fingerprint-in-stream", "vllm").verdict is Verdict.PASS


@pytest.mark.parametrize(
    "check_id", ["prompt.token-batch-served", "max-tokens.each-of-batch", "seed.others-differ"]
)
def test_short_usage_and_short_seeds_are_nothing_else(check_id: str) -> None:
    assert asked(check_id, "llama-cpp").verdict is Verdict.PASS


def test_another_default_temperature_is_altered() -> None:
    found = asked("temperature.default-as-one", "llama-cpp")
    assert (found.verdict, found.effect) == (Verdict.WARN, Effect.ALTERED)
