"""Many clients at once: the same answers, fair refusals, and no work for who has left."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.reference_server.api import MODEL, Api, envelope
from tests.servers import RunningServer, running_server

REQUESTS: list[dict[str, Any]] = [
    {"prompt": "1, 2, 3,", "temperature": 0, "max_tokens": 24},
    {"prompt": "春眠不觉晓", "seed": 1, "max_tokens": 24, "logprobs": 2},
    {"prompt": ["one", "two"], "seed": 2, "n": 2, "max_tokens": 12, "echo": True},
    {"prompt": "and then", "seed": 3, "max_tokens": 90, "presence_penalty": 1},
]


def without_identity(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("id", "created")}


def test_answers_are_the_same_alone_and_among_thirty_two(api: Api, server: RunningServer) -> None:
    alone = [without_identity(api.complete(**request)) for request in REQUESTS]

    async def together() -> list[dict[str, Any]]:
        limits = httpx.Limits(max_connections=32)
        async with httpx.AsyncClient(
            base_url=server.base_url, headers=server.headers, timeout=60, limits=limits
        ) as client:
            posts = [
                client.post("/completions", json={"model": MODEL, **REQUESTS[i % len(REQUESTS)]})
                for i in range(32)
            ]
            return [(await post).json() for post in map(asyncio.ensure_future, posts)]

    answers = asyncio.run(together())
    assert len({answer["id"] for answer in answers}) == 32
    for place, answer in enumerate(answers):
        assert without_identity(answer) == alone[place % len(REQUESTS)]


def test_a_full_line_is_answered_with_429_and_a_time_to_come_back() -> None:
    with (
        running_server("--max-running", "1", "--max-waiting", "2") as busy,
        httpx.Client(base_url=busy.base_url, headers=busy.headers, timeout=60) as client,
    ):
        long = {"model": MODEL, "prompt": "a", "max_tokens": 2000, "logit_bias": {"0": -100}}
        with client.stream("POST", "/completions", json={**long, "stream": True}) as running:
            lines = running.iter_lines()  # kept: httpx hangs up when it is dropped
            next(lines)
            refused = client.post("/completions", json={**long, "n": 2})
            error = envelope(refused, 429)
            assert error["code"] == "rate_limit_exceeded"
            assert int(refused.headers["retry-after"]) > 0
        # The first client has left: its place is free long before 2,000 tokens are through.
        deadline = time.monotonic() + 10
        while (answer := client.post("/completions", json={**long, "max_tokens": 1})).is_error:
            assert time.monotonic() < deadline
        assert answer.json()["usage"]["completion_tokens"] == 1


def test_a_client_that_hangs_up_on_a_plain_answer_frees_its_place() -> None:
    with running_server("--max-running", "1", "--max-waiting", "1") as busy:
        body = {"model": MODEL, "prompt": "a", "max_tokens": 2000, "logit_bias": {"0": -100}}
        url = f"{busy.base_url}/completions"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=body, headers=busy.headers, timeout=0.3)
        deadline = time.monotonic() + 10
        short = {**body, "max_tokens": 1}
        while httpx.post(url, json=short, headers=busy.headers, timeout=60).is_error:
            assert time.monotonic() < deadline
    assert 499 in [json.loads(line)["status"] for line in busy.log]


def test_a_batch_far_larger_than_the_rows_is_answered_in_full(api: Api) -> None:
    prompts = [f"{i}, {i + 1}," for i in range(300)]
    answer = api.complete(prompt=prompts, max_tokens=1, temperature=0, echo=True)
    assert [choice["index"] for choice in answer["choices"]] == list(range(300))
    assert all(c["text"].startswith(p) for c, p in zip(answer["choices"], prompts, strict=True))


def test_a_hundred_and_twenty_eight_choices_are_generated(api: Api) -> None:
    answer = api.complete(prompt="a", n=128, max_tokens=2, seed=0)
    assert len({choice["index"] for choice in answer["choices"]}) == 128
