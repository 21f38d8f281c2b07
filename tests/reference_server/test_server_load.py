"""A busy server rejects fairly and stops work for disconnected clients."""

import json
import time

import httpx
import pytest

from tests.reference_server.api import MODEL, Api, envelope
from tests.servers import running_server


def test_full_queue_returns_429_with_retry_after() -> None:
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
        while (response := client.post("/completions", json={**long, "max_tokens": 1})).is_error:
            assert time.monotonic() < deadline
        assert response.json()["usage"]["completion_tokens"] == 1


def test_disconnect_without_streaming_frees_the_place() -> None:
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


def test_large_batch_is_completed(api: Api) -> None:
    prompts = [f"{i}, {i + 1}," for i in range(300)]
    response = api.complete(prompt=prompts, max_tokens=1, temperature=0, echo=True)
    assert [choice["index"] for choice in response["choices"]] == list(range(300))
    assert all(c["text"].startswith(p) for c, p in zip(response["choices"], prompts, strict=True))


def test_n_of_128_is_served(api: Api) -> None:
    response = api.complete(prompt="a", n=128, max_tokens=2, seed=0)
    assert len({choice["index"] for choice in response["choices"]}) == 128
