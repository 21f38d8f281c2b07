"""Trying an endpoint sends the minimal request, asks for its list of models, and no more."""

from __future__ import annotations

import asyncio

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.reachability import PASSIVE, reach
from conformance.engine.selection import Options, choose
from conformance.model import Target, Tier
from conformance.testing import FakeEndpoint

TARGET = Target("http://fake.example/v1", "tiny", "openai")


class Counting(FakeEndpoint):
    """Counts what is sent."""

    sent = 0

    async def send(self, request, *, fresh=False):
        self.sent += 1
        return await super().send(request, fresh=fresh)


def test_one_request_and_the_list_are_sent() -> None:
    contract = load_contract("openai")
    endpoint = Counting(contract, "tiny")
    found = asyncio.run(reach(TARGET, contract, endpoint))
    assert found.reason is None
    assert found.exchange is not None
    assert found.exchange.status == 200
    assert endpoint.sent == 2


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_has_the_passive_check(name: str) -> None:
    checks = [check for check in all_checks() if check.id == PASSIVE]
    (choice,) = choose(checks, load_contract(name), Options(tier=Tier.SMOKE))
    assert choice.skip is None
