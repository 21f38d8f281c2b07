"""The bundled server in one dialect, tested against the contract of every document."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import Conclusion, Finding, Target, Tier
from conformance.record.events import FindingMade, RunFinished
from conformance.targets.bundled import BundledServer, bundled_server


@dataclass(frozen=True)
class Cell:
    """The findings on one dialect under one contract."""

    conclusion: Conclusion
    findings: tuple[Finding, ...]


def judge_column(column: str, contracts: Sequence[str] = CONTRACTS) -> dict[str, Cell]:
    """Judge a dialect, named alone or with a model, under each of these contracts.

    Its own contract is tested at the deep tier, the others at the standard tier.
    """
    dialect, _, model = column.partition(", ")
    with bundled_server(dialect=dialect) as server:
        return {
            contract: asyncio.run(
                _judge(
                    server,
                    model or server.model,
                    contract,
                    Tier.DEEP if contract == dialect else Tier.STANDARD,
                )
            )
            for contract in contracts
        }


async def _judge(server: BundledServer, model: str, contract: str, tier: Tier) -> Cell:
    target = Target(server.base_url, model, contract, server.api_key)
    findings: list[Finding] = []
    conclusion = Conclusion.INCOMPLETE
    async with aclosing(run(target, load_contract(contract), Options(tier))) as events:
        async for event in events:
            if isinstance(event, FindingMade):
                findings.append(event.finding)
            elif isinstance(event, RunFinished):
                conclusion = event.footer.conclusion
    # Checks finish in any order.
    return Cell(conclusion, tuple(sorted(findings, key=lambda finding: finding.id)))
