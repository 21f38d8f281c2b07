"""Servers in memory, and properties that are tested on them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.api import Api, RetestBudget
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.engine.selection import reason_to_skip
from conformance.model import Finding
from conformance.transport.coalesce import RequestCoalescer
from reference_server.behaviour.messages import Behaviour
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
RELATIONS = {check.id: check for check in all_checks() if check.id.startswith("relations.")}


def an_api(server: FakeServer, *, seed: int = 0, retest_budget: RetestBudget | None = None) -> Api:
    """Make what a check is given."""
    coalescer = RequestCoalescer(server.send)
    return Api(coalescer, OPENAI, MODEL, has_key=True, seed=seed, retest_budget=retest_budget)


def held(server: FakeServer, hold: Callable[[Api], Awaitable[None]], *, seed: int = 0) -> None:
    """Run a property to its end."""

    async def main() -> None:
        await hold(an_api(server, seed=seed))

    asyncio.run(main())


def finding_of(check_id: str, server: FakeServer, *, seed: int = 0) -> Finding:
    """Judge a server by one check."""

    async def main() -> Finding:
        return await judge(RELATIONS[check_id], an_api(server, seed=seed))

    return asyncio.run(main())


def findings_of(
    shown: str | Behaviour, *, contract: str = "openai", seed: int = 0
) -> dict[str, Finding]:
    """Judge a server by all relations, side by side as a run does."""
    document = load_contract(contract)
    server = FakeServer(shown, contract)

    async def main() -> dict[str, Finding]:
        coalescer, retest_budget = RequestCoalescer(server.send), RetestBudget()

        async def one(check: Check) -> Finding:
            api = Api(
                coalescer, document, MODEL, has_key=True, seed=seed, retest_budget=retest_budget
            )
            return await judge(check, api)

        known = [c for c in RELATIONS.values() if reason_to_skip(c, document) is None]
        found = await asyncio.gather(*map(one, known))
        return {finding.id: finding for finding in found}

    return asyncio.run(main())
