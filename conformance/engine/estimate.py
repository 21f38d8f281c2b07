"""Estimate the cost of a run: the checks run against the fake endpoint, without a network.

A conforming endpoint gets exactly these requests. A faulty one may get a few more, because a check
repeats requests before it reports a difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.runner import run
from conformance.engine.selection import UNLIMITED, Options
from conformance.message import Message
from conformance.model import Exchange, Finding, Target, Verdict
from conformance.record.events import ExchangeMade, FindingMade
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.budget import is_free
from conformance.transport.token_bound import bounds

KEY = "sk-in-memory"
"""With a key, a plan includes the checks of authentication; a run without one sends less."""


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """The cost of one check alone; ``skip`` is why it does not run, or None.

    ``prompt_tokens`` and ``completion_tokens`` are the parts of ``tokens``.
    """

    id: str
    requests: int
    tokens: int
    skip: Message | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The cost of a run, which is less than the sum of its checks, because they share requests.

    ``tokens`` is the maximum usage of an endpoint that obeys ``max_tokens`` and rejects invalid
    requests.
    """

    checks: tuple[PlannedCheck, ...]
    requests: int
    tokens: int
    prompt_tokens: int = 0
    completion_tokens: int = 0


def plan(contract: Contract, options: Options, *, checks: Iterable[Check] | None = None) -> Plan:
    """Count requests and worst-case tokens, per check and in total, offline.

    Args:
        contract: the contract under test.
        options: the options of the run; its limits are ignored.
        checks: the checks to select from; all by default.
    """
    return asyncio.run(_plan(contract, options, checks))


async def _plan(contract: Contract, options: Options, checks: Iterable[Check] | None) -> Plan:
    target = Target("fake:", MODEL, contract.name, api_key=KEY)
    unlimited = replace(options, limits=UNLIMITED)
    exchanges: dict[str, Exchange] = {}
    findings: list[Finding] = []
    endpoint = FakeEndpoint(contract)
    async for event in run(target, contract, unlimited, transport=endpoint, checks=checks):
        match event:
            case ExchangeMade():
                exchanges[event.exchange.id] = event.exchange
            case FindingMade():
                findings.append(event.finding)
    costs = {key: _most(exchange, contract) for key, exchange in exchanges.items()}
    planned = [
        PlannedCheck(
            finding.id,
            requests=len(finding.exchanges),
            tokens=sum(sum(costs[key]) for key in finding.exchanges),
            skip=finding.message if finding.verdict is Verdict.SKIPPED else None,
            prompt_tokens=sum(costs[key][0] for key in finding.exchanges),
            completion_tokens=sum(costs[key][1] for key in finding.exchanges),
        )
        for finding in findings
    ]
    planned.sort(key=lambda check: check.id)
    counted = sum(not is_free(exchange.request) for exchange in exchanges.values())
    read, written = (sum(cost[part] for cost in costs.values()) for part in (0, 1))
    return Plan(tuple(planned), counted, read + written, read, written)


def _most(exchange: Exchange, contract: Contract) -> tuple[int, int]:
    """Return the maximum tokens of a request, read and written; a rejected one costs nothing."""
    refused = exchange.status is None or exchange.status >= 300
    return (0, 0) if refused else bounds(exchange.request, contract.default_tokens)
