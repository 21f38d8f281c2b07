"""Endpoints in memory, and properties that are held against them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from conformance.api import Api, Patience
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.imagined import ImaginedEndpoint
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Finding, Request
from conformance.runner import judge
from conformance.selection import reason_to_skip
from conformance.wire.sharing import Sharing
from tests.conformance.checks.rewriting import Change, Rewriting

Body = dict[str, Any]

OPENAI = load_contract("openai")
RELATIONS = {check.id: check for check in all_checks() if check.id.startswith("relations.")}
HONEST = Change()


class Recording:
    """A transport that remembers what it was asked, and gives every exchange a number."""

    def __init__(self, change: Change = HONEST, contract: str = "openai") -> None:
        self._inner = Rewriting(change, contract, ImaginedEndpoint(load_contract(contract)))
        self.requests: list[Request] = []

    @property
    def bodies(self) -> list[Body]:
        """What was asked, in order."""
        return [json.loads(request.body) for request in self.requests]

    async def send(self, request: Request) -> Exchange:
        """Answer a request."""
        self.requests.append(request)
        number = len(self.requests)
        return replace(await self._inner.send(request), id=f"x{number:04d}")


def an_api(endpoint: Recording, *, seed: int = 0, patience: Patience | None = None) -> Api:
    """Hand out what a check is handed."""
    sharing = Sharing(endpoint.send)
    return Api(sharing, OPENAI, MODEL, has_key=True, seed=seed, patience=patience)


def held(endpoint: Recording, hold: Callable[[Api], Awaitable[None]], *, seed: int = 0) -> None:
    """Run a property to its end."""

    async def main() -> None:
        await hold(an_api(endpoint, seed=seed))

    asyncio.run(main())


def finding_of(check_id: str, endpoint: Recording, *, seed: int = 0) -> Finding:
    """Judge an endpoint by one check."""

    async def main() -> Finding:
        return await judge(RELATIONS[check_id], an_api(endpoint, seed=seed))

    return asyncio.run(main())


def findings_of(change: Change, *, contract: str = "openai", seed: int = 0) -> dict[str, Finding]:
    """Judge a changed endpoint by all relations, side by side as a run does."""
    document = load_contract(contract)
    sharing_with = Recording(change, contract)

    async def main() -> dict[str, Finding]:
        sharing, patience = Sharing(sharing_with.send), Patience()

        async def one(check: Check) -> Finding:
            api = Api(sharing, document, MODEL, has_key=True, seed=seed, patience=patience)
            return await judge(check, api)

        known = [c for c in RELATIONS.values() if reason_to_skip(c, document) is None]
        found = await asyncio.gather(*map(one, known))
        return {finding.id: finding for finding in found}

    return asyncio.run(main())
