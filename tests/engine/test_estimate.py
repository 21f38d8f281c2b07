"""A plan counts requests and tokens without a network."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.estimate import plan
from conformance.engine.runner import Options, run
from conformance.model import Limits, Target, Tier
from conformance.record.events import ExchangeMade
from conformance.testing import FakeEndpoint
from conformance.transport.budget import is_free
from tests.engine.plans import plan_of
from tests.lanes import by_default

OPENAI = load_contract("openai")


def a_check(check_id: str, run_it: Any, requirement: str = "stop.string") -> Check:
    return Check(check_id, requirement, Tier.SMOKE, "It holds.", "成立。", (), run_it)


async def one_token(api: Api) -> None:
    (await api.complete(prompt="12345", max_tokens=1)).expect_ok()


async def two_answers(api: Api) -> None:
    (await api.complete(prompt="12345", max_tokens=1)).expect_ok()
    (await api.complete(prompt="12345", max_tokens=10, n=2)).expect_ok()


async def refused(api: Api) -> None:
    (await api.complete(prompt="12345", max_tokens=10**9)).expect_error(400)


def test_checks_are_counted_each_alone_and_all_together() -> None:
    planned = plan(
        OPENAI, Options(), checks=[a_check("a.one", one_token), a_check("b.two", two_answers)]
    )
    assert [(check.id, check.requests, check.tokens) for check in planned.checks] == [
        ("a.one", 1, 1 + 5 + 1),
        ("b.two", 2, (1 + 5 + 1) + (1 + 5 + 20)),
    ]
    first = plan(OPENAI, Options(), checks=[a_check("a.one", one_token)])
    assert planned.requests == first.requests + 1  # the shared one and the first of all are there
    assert planned.tokens == first.tokens + 26


def test_expected_rejection_costs_a_request_without_tokens() -> None:
    (check,) = plan(OPENAI, Options(), checks=[a_check("a.one", refused)]).checks
    assert (check.requests, check.tokens) == (1, 0)


def test_check_not_in_force_is_planned_with_reason() -> None:
    check = a_check("a.one", one_token, "max-tokens.default-unlimited")
    (planned,) = plan(OPENAI, Options(), checks=[check]).checks
    assert planned.requests == 0
    assert planned.skip == OPENAI.why_not_in_force("max-tokens.default-unlimited")


def test_limits_do_not_change_the_planned_cost() -> None:
    checks = [a_check("b.two", two_answers)]
    poor = Options(limits=Limits(requests=1, tokens=1))
    assert plan(OPENAI, poor, checks=checks) == plan(OPENAI, Options(), checks=checks)


def test_plan_uses_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    assert plan(OPENAI, Options(Tier.SMOKE)).requests > 0


@pytest.mark.parametrize("tier", by_default([Tier.SMOKE, Tier.STANDARD], Tier))
def test_conforming_endpoint_gets_the_planned_requests(tier: Tier) -> None:
    async def count() -> int:
        target = Target("http://fake/v1", "fake-model", "openai", "sk-in-memory")
        stream = run(target, OPENAI, Options(tier), transport=FakeEndpoint(OPENAI))
        made = [event.exchange async for event in stream if isinstance(event, ExchangeMade)]
        return sum(not is_free(exchange.request) for exchange in made)

    assert plan_of("openai", tier).requests == asyncio.run(count())
