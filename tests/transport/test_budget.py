"""The cost of a request and the budget of a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from conformance.judgement import BudgetSpent
from conformance.model import Cost, Exchange, Limits, Request
from conformance.transport.budget import Budget, Budgeted, cost_of, stated_usage
from conformance.transport.token_bound import upper_bound

BEGIN = 1  # the token that may mark the beginning of a prompt


def asking(read_events: int | None = None, **body: Any) -> Request:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Request("POST", "/completions", raw, read_events=read_events)


def answered(
    request: Request, body: Mapping[str, Any] | bytes, status: int | None = 200
) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("x1", request, (), status, (), raw, (), 0.0)


def usage_of(prompt: int, completion: int) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"prompt": "four", "max_tokens": 3}, BEGIN + 4 + 3),
        ({"prompt": "四", "max_tokens": 3}, BEGIN + 3 + 3),
        ({"prompt": "four"}, BEGIN + 4 + 16),
        ({"prompt": "four", "max_tokens": None}, BEGIN + 4 + 16),
        ({"prompt": "four", "max_tokens": 0, "echo": True}, BEGIN + 4),
        ({"prompt": "four", "max_tokens": 3, "n": 2}, BEGIN + 4 + 6),
        ({"prompt": "four", "max_tokens": 3, "n": 2, "best_of": 5}, BEGIN + 4 + 15),
        ({"prompt": ["four", "five!"], "max_tokens": 3, "n": 2}, 2 * BEGIN + 9 + 12),
        ({"prompt": [1, 2, 3], "max_tokens": 3}, BEGIN + 3 + 3),
        ({"prompt": [[1, 2, 3], [4]], "max_tokens": 3}, 2 * BEGIN + 4 + 6),
        ({"prompt": "ab", "suffix": "cd", "max_tokens": 3}, BEGIN + 2 + 2 + 3 + 3),
        ({"prompt": "four", "max_tokens": "ten"}, BEGIN + 4 + 16),
        ({"prompt": "four", "max_tokens": True}, BEGIN + 4 + 16),
        ({"max_tokens": 3}, BEGIN + 3),
    ],
)
def test_maximum_cost_of_a_request(body: dict[str, Any], tokens: int) -> None:
    assert upper_bound(asking(**body)) == tokens


def test_read_events_limits_an_unlimited_stream() -> None:
    unlimited = asking(read_events=5, prompt="four")
    assert upper_bound(unlimited, default_tokens=None) == BEGIN + 4 + 5
    assert upper_bound(asking(read_events=5, prompt="four", max_tokens=2)) == BEGIN + 4 + 2


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[1]", b'"text"', b"[" * 100_000])
def test_invalid_body_costs_nothing(body: bytes) -> None:
    assert upper_bound(Request("POST", "/completions", body)) == 0


@pytest.mark.parametrize(
    ("status", "body", "cost"),
    [
        (200, usage_of(5, 7), Cost(prompt_tokens=5, completion_tokens=7)),
        (200, b"no bill", Cost(estimated_tokens=99)),
        (200, {"usage": {"prompt_tokens": -1}}, Cost()),
        (200, usage_of(10**4300 - 1, 7), Cost(estimated_tokens=99)),
        (200, usage_of(5, 10**9 + 1), Cost(estimated_tokens=99)),
        (200, usage_of(10**9, 0), Cost(prompt_tokens=10**9)),
        (400, usage_of(5, 7), Cost()),
        (500, b"", Cost()),
        (None, b"", Cost(estimated_tokens=99)),
    ],
)
def test_actual_cost_of_a_response(status: int | None, body: Any, cost: Cost) -> None:
    assert cost_of(answered(asking(prompt="x"), body, status), bound=99) == cost


def test_usage_of_a_stream_is_the_last_one() -> None:
    body = b'data: {"usage": null}\n\ndata: {"usage": {"prompt_tokens": 1}}\n\ndata: [DONE]\n\n'
    assert stated_usage(body) == {"prompt_tokens": 1}
    assert stated_usage(b'data: {"choices": []}\n\ndata: [DONE]\n\n') is None


class Endpoint:
    """Reports the same usage for every request, and can be made to wait."""

    def __init__(self, usage: dict[str, Any]) -> None:
        self.usage = usage
        self.served = 0
        self.in_flight = self.most_in_flight = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, request: Request) -> Exchange:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        await self.gate.wait()
        await asyncio.sleep(0)
        self.in_flight -= 1
        self.served += 1
        return answered(request, self.usage)


FOUR = asking(prompt="fou", max_tokens=6)  # ten tokens at most, with the one that begins


def test_request_over_the_budget_is_not_sent() -> None:
    async def spend() -> None:
        endpoint = Endpoint(usage_of(1, 1))
        budgeted = Budgeted(endpoint.send, Budget(Limits(tokens=9)))
        with pytest.raises(BudgetSpent, match="can cost 10 tokens, 0 of 9 are used"):
            await budgeted.send(FOUR)
        assert endpoint.served == 0

    asyncio.run(spend())


def test_unused_budget_is_returned() -> None:
    async def spend() -> None:
        endpoint = Endpoint(usage_of(1, 1))
        budget = Budget(Limits(tokens=20))
        budgeted = Budgeted(endpoint.send, budget)
        for _ in range(6):
            await budgeted.send(FOUR)
        with pytest.raises(BudgetSpent):
            await budgeted.send(FOUR)
        assert budget.cost == Cost(requests=6, prompt_tokens=6, completion_tokens=6)

    asyncio.run(spend())


def test_requests_wait_for_the_budget_of_running_ones() -> None:
    async def spend() -> None:
        endpoint = Endpoint(usage_of(1, 1))
        endpoint.gate.clear()
        budget = Budget(Limits(tokens=14))
        budgeted = Budgeted(endpoint.send, budget)
        tasks = [asyncio.create_task(budgeted.send(FOUR)) for _ in range(3)]
        await asyncio.sleep(0)
        endpoint.gate.set()
        await asyncio.gather(*tasks)
        assert endpoint.most_in_flight == 1
        assert budget.cost.tokens == 6

    asyncio.run(spend())


def test_retries_count_as_requests() -> None:
    budget = Budget(Limits(requests=2))
    asyncio.run(budget.reserve(0))
    assert budget.take_retry()
    assert not budget.take_retry()
    with pytest.raises(BudgetSpent, match="2 requests were allowed"):
        asyncio.run(budget.reserve(0))
    assert budget.cost.requests == 2


def test_failed_request_returns_its_budget() -> None:
    async def spend() -> None:
        async def fail(_: Request) -> Exchange:
            raise RuntimeError("our own fault")

        budget = Budget(Limits(tokens=10))
        with pytest.raises(RuntimeError):
            await Budgeted(fail, budget).send(FOUR)
        with pytest.raises(BudgetSpent):  # the tokens may be spent; nothing waits for ever
            await Budgeted(fail, budget).send(FOUR)

    asyncio.run(spend())
