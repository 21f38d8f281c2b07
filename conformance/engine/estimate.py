"""What a run will cost, before anything is sent: the checks are run against an imagined endpoint.

An endpoint that keeps the contract is asked exactly these requests. One that does not may be asked
a few more, where a check repeats a request before it believes a difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.runner import run
from conformance.engine.selection import UNLIMITED, Options
from conformance.model import Exchange, Finding, Target, Verdict
from conformance.record.events import ExchangeMade, FindingMade
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.budget import upper_bound

KEY = "sk-imagined"
"""A plan counts what it takes to judge keys; a run without a key asks a little less."""


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """What one check costs on its own; ``skip`` says why it costs nothing under this contract."""

    id: str
    requests: int
    tokens: int
    skip: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run costs: less than its checks together, because they share requests.

    ``tokens`` is the most that an endpoint can bill which keeps to ``max_tokens`` and refuses what
    it must.
    """

    checks: tuple[PlannedCheck, ...]
    requests: int
    tokens: int


def plan(contract: Contract, options: Options, *, checks: Iterable[Check] | None = None) -> Plan:
    """Count requests and worst-case tokens, per check and in all; no network is touched."""
    return asyncio.run(_plan(contract, options, checks))


async def _plan(contract: Contract, options: Options, checks: Iterable[Check] | None) -> Plan:
    target = Target("imagined:", MODEL, contract.name, api_key=KEY)
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
            tokens=sum(costs[key] for key in finding.exchanges),
            skip=finding.message if finding.verdict is Verdict.SKIPPED else None,
        )
        for finding in findings
    ]
    planned.sort(key=lambda check: check.id)
    return Plan(tuple(planned), requests=len(exchanges), tokens=sum(costs.values()))


def _most(exchange: Exchange, contract: Contract) -> int:
    """The most that a request can cost; one that is refused costs nothing."""
    refused = exchange.status is None or exchange.status >= 300
    return 0 if refused else upper_bound(exchange.request, contract.default_tokens)
