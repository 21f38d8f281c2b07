"""The duration of a run in virtual time is near its minimum."""

from __future__ import annotations

import pytest

from conformance.contract import load_contract
from conformance.model import Tier
from tests.benchmarks.virtual_time import simulated_run

CONCURRENCY = 8


@pytest.mark.parametrize("contract", ["openai", "zero"])
@pytest.mark.parametrize(("tier", "most"), [(Tier.SMOKE, 1.6), (Tier.STANDARD, 1.25)], ids=str)
def test_slots_are_hardly_ever_empty(contract: str, tier: Tier, most: float) -> None:
    simulated = simulated_run(load_contract(contract), tier, concurrency=CONCURRENCY)
    assert simulated.requests > CONCURRENCY
    assert simulated.ratio(CONCURRENCY) <= most


@pytest.mark.parametrize("tier", [Tier.SMOKE, Tier.STANDARD])
def test_few_requests_wait_for_others(tier: Tier) -> None:
    unlimited = simulated_run(load_contract("openai"), tier, concurrency=None)
    assert unlimited.seconds <= 4
