"""Dialects of one server, tested against the contracts of documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.runner import run
from conformance.engine.selection import Options
from conformance.model import Conclusion, Finding, Target, Tier
from conformance.record.events import FindingMade, RunFinished
from conformance.targets.bundled import BundledServer, bundled_showcase


@dataclass(frozen=True)
class Cell:
    """The findings on one dialect under one contract."""

    conclusion: Conclusion
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Judge:
    """Judges dialects, each under a path of one server."""

    server: BundledServer

    def cell(self, column: str, contract: str, tier: Tier = Tier.STANDARD) -> Cell:
        """Judge a dialect, named alone or with a model, under a contract."""
        dialect, _, model = column.partition(", ")
        parts = urlsplit(self.server.base_url)
        base_url = f"{parts.scheme}://{parts.netloc}/{dialect}/none/any/v1"
        target = Target(base_url, model or self.server.model, contract, self.server.api_key)
        return asyncio.run(_judge(target, tier))

    def column(self, column: str, contracts: Sequence[str] = CONTRACTS) -> dict[str, Cell]:
        """Judge a dialect under each of these contracts, its own at the deep tier."""
        own = column.partition(", ")[0]
        return {
            contract: self.cell(column, contract, Tier.DEEP if contract == own else Tier.STANDARD)
            for contract in contracts
        }


@contextmanager
def judge() -> Iterator[Judge]:
    """Start a server that speaks every dialect."""
    with bundled_showcase() as server:
        yield Judge(server)


async def _judge(target: Target, tier: Tier) -> Cell:
    findings: list[Finding] = []
    conclusion = Conclusion.INCOMPLETE
    async with aclosing(run(target, load_contract(target.contract), Options(tier))) as events:
        async for event in events:
            if isinstance(event, FindingMade):
                findings.append(event.finding)
            elif isinstance(event, RunFinished):
                conclusion = event.footer.conclusion
    # Checks finish in any order.
    return Cell(conclusion, tuple(sorted(findings, key=lambda finding: finding.id)))
