"""The cost of a run in the server's log equals the plan and stays within the budget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from conformance.contract import CONTRACTS, DOCUMENTS, LIVING, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.estimate import plan
from conformance.engine.runner import Options, run
from conformance.engine.selection import EXTENSIONS, PRICES, Price
from conformance.model import Conclusion, Footer, Stage, Target, Tier
from conformance.record.events import RunFinished
from conformance.targets.bundled import MODEL, REFERENCE
from tests.engine.plans import plan_of
from tests.lanes import by_default
from tests.servers import running_server

TRIES = 3
"""A check that comes upon a difference asks again, which chance or a busy machine can bring about,
but not every time."""

FEWER = 4
"""Requests by which a run under a contract with parameters of its own may stay below its plan."""

RUNS = [("openai", tier) for tier in Tier] + [
    (document, Tier.STANDARD) for document in CONTRACTS if document != "openai"
]
RUNS_BY_DEFAULT = [("openai", Tier.SMOKE), ("openai", Tier.STANDARD), ("zero", Tier.STANDARD)]
PLANS = [(document, tier) for document in CONTRACTS for tier in Tier]
PLANS_BY_DEFAULT = [plan for plan in PLANS if plan[1] is not Tier.DEEP or plan[0] == "openai"]


@pytest.mark.parametrize(("document", "tier"), by_default(RUNS_BY_DEFAULT, RUNS))
def test_run_sends_and_costs_what_was_planned(document: str, tier: Tier) -> None:
    planned = plan_of(document, tier)
    most_requests, most_tokens = price_of(document, tier)
    dialect = REFERENCE if document == "openai" else document
    counted: list[int] = []
    with running_server("--dialect", dialect) as server:
        target = Target(server.base_url, MODEL, document, server.key)
        while planned.requests not in counted and len(counted) < TRIES:
            counted.append(asyncio.run(run_once(target, Options(tier))).cost.requests)
    logged = counted_in(server.log)
    # A penalty of at most 2 changes a text of the fake endpoint at a later try than one of the
    # server, so that the plan can be a few requests above the run.
    least = planned.requests - (FEWER if document in LIVING else 0)
    assert least <= counted[-1] <= planned.requests
    assert len(logged) == sum(counted)
    last = logged[-counted[-1] :]
    assert len(last) <= most_requests
    assert sum(map(usage_of, last)) <= min(planned.tokens, most_tokens)


@pytest.mark.exhaustive
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if document != "openai"])
def test_deep_run_of_a_dialect_keeps_its_price(document: str) -> None:
    """A dialect rejects what it does not promise, which a check then requests in another form."""
    price = PRICES[Tier.DEEP]
    with running_server("--dialect", document) as server:
        target = Target(server.base_url, MODEL, document, server.key)
        cost = asyncio.run(run_once(target, Options(Tier.DEEP))).cost
    logged = counted_in(server.log)
    assert len(logged) == cost.requests <= price.requests
    assert sum(map(usage_of, logged)) <= price.tokens


def test_undocumented_parameters_keep_the_price(monkeypatch: pytest.MonkeyPatch) -> None:
    contract, options = load_contract("zero"), Options(Tier.DEEP, select=("seed.*",))
    usual = plan(contract, options).requests
    monkeypatch.setitem(PRICES, Tier.DEEP, Price(usual - 1, 40_000))
    assert plan(contract, options).requests == usual - 1


@pytest.mark.parametrize(("document", "tier"), by_default(PLANS_BY_DEFAULT, PLANS))
def test_each_plan_keeps_its_budget(document: str, tier: Tier) -> None:
    planned = plan_of(document, tier)
    most_requests, most_tokens = price_of(document, tier)
    assert planned.requests <= most_requests
    assert planned.tokens <= most_tokens


@pytest.mark.parametrize("seed", by_default([7], [1, 7, 2**40]))
def test_other_seeds_keep_the_budget(seed: int) -> None:
    planned = plan(load_contract("openai"), Options(Tier.DEEP, stage=Stage.GENERATED, seed=seed))
    usual = plan(load_contract("openai"), Options(Tier.DEEP, stage=Stage.GENERATED))
    assert planned.requests == usual.requests
    assert planned.tokens <= usual.tokens + 1_500


def test_every_requirement_is_judged_by_a_check() -> None:
    contracts = [load_contract(document) for document in CONTRACTS]
    stated = {requirement for contract in contracts for requirement in contract.requirements}
    assert stated == {check.requirement for check in all_checks()}


def price_of(document: str, tier: Tier) -> Price:
    """The price of a tier; checks of parameters that only some documents have cost more."""
    if not any(parameter.is_extension for parameter in load_contract(document).parameters):
        return PRICES[tier]
    return Price(*map(sum, zip(PRICES[tier], EXTENSIONS[tier], strict=True)))


async def run_once(target: Target, options: Options) -> Footer:
    async with aclosing(run(target, load_contract(target.contract), options)) as events:
        (footer,) = [event.footer async for event in events if isinstance(event, RunFinished)]
    assert footer.conclusion is Conclusion.CONFORMING
    return footer


def counted_in(log: Iterable[str]) -> list[Mapping[str, Any]]:
    """The requests of a server's log that cost something; a list of models does not."""
    lines = [line for line in map(json.loads, log) if "method" in line]
    lists = [line for line in lines if line["path"] == "/v1/models"]
    assert [line["method"] for line in lists] == ["GET"] * len(lists)
    return [line for line in lines if line not in lists]


def usage_of(line: Mapping[str, Any]) -> int:
    """The tokens of one request; what was refused has none."""
    return int(line.get("prompt_tokens", 0)) + int(line.get("completion_tokens", 0))
