"""A run notes what it learns of its target; no note changes a verdict or a price."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import date

import pytest

from conformance.contract import load_contract
from conformance.engine import notes
from conformance.engine.estimate import plan
from conformance.engine.notes import LIST, notes_of
from conformance.engine.runner import Options, run
from conformance.model import Conclusion, Exchange, Footer, Limits, Request, Target, Tier
from conformance.record.events import ExchangeMade, RunFinished
from conformance.testing import FakeEndpoint

OPENAI, VLLM = load_contract("openai"), load_contract("vllm")
SMOKE = Options(Tier.SMOKE)
RETIRED = Target("https://relay.example/v1", "davinci-002", "openai", "sk-in-memory-key")
DAY = date(2026, 12, 1)


class Listing(FakeEndpoint):
    """An endpoint whose list of models says more."""

    def __init__(self, **entry: object) -> None:
        super().__init__(OPENAI, RETIRED.model)
        self._entry = {"id": RETIRED.model, "object": "model", **entry}

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        if request == LIST:
            self.requests.append(request)
            return self._response(request, {"object": "list", "data": [self._entry]})
        return await super().send(request, fresh=fresh)


class Silent(FakeEndpoint):
    """An endpoint that never answers with its list of models."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        if request == LIST:
            await asyncio.Event().wait()
        return await super().send(request, fresh=fresh)


def run_of(
    endpoint: FakeEndpoint, target: Target = RETIRED, options: Options = SMOKE
) -> tuple[Footer, list[Exchange]]:
    async def collect() -> tuple[Footer, list[Exchange]]:
        made: list[Exchange] = []
        footers: list[Footer] = []
        async with aclosing(run(target, OPENAI, options, transport=endpoint)) as events:
            async for event in events:
                if isinstance(event, ExchangeMade):
                    made.append(event.exchange)
                elif isinstance(event, RunFinished):
                    footers.append(event.footer)
        return footers[0], made

    return asyncio.run(collect())


def test_notes_change_neither_verdict_nor_price() -> None:
    endpoint = Listing(owned_by="vllm", shutdown_date="2020-01-01")
    footer, made = run_of(endpoint)
    retired, announced, fits = footer.notes
    assert retired.startswith("OpenAI shut `davinci-002` down on 2026-09-28")
    assert announced.endswith("`davinci-002` was shut down on 2020-01-01")
    assert "`--contract vllm`" in fits
    assert footer.conclusion is Conclusion.CONFORMING
    assert footer.cost.requests == plan(OPENAI, SMOKE).requests
    assert [exchange.request for exchange in made].count(LIST) == 1
    assert len(made) == footer.cost.requests + 1


def test_silent_list_costs_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "LIST_SECONDS", 0.01)
    footer, _ = run_of(Silent(OPENAI, RETIRED.model))
    assert footer.conclusion is Conclusion.CONFORMING
    assert len(footer.notes) == 1


def test_limit_of_requests_holds_for_the_list() -> None:
    endpoint = Listing()
    footer, made = run_of(endpoint, options=Options(Tier.SMOKE, limits=Limits(requests=3)))
    assert len(made) == footer.cost.requests == 3


def test_rejected_list_is_judged_by_no_check() -> None:
    class Broken(FakeEndpoint):
        async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
            if request == LIST:
                return Exchange("x9999", LIST, (), 500, (), b"<html>", (), 0.1)
            return await super().send(request, fresh=fresh)

    footer, _ = run_of(Broken(OPENAI, RETIRED.model))
    assert footer.conclusion is Conclusion.CONFORMING


def test_local_model_may_have_any_name() -> None:
    local = Target("http://127.0.0.1:8000/v1", "davinci-002", "openai")
    assert notes_of(local, OPENAI, (), DAY) == ()


def test_contract_is_proposed_where_none_was_meant() -> None:
    body = json.dumps({"data": [{"id": "m", "owned_by": "llamacpp"}]}).encode()
    listed = Exchange("x0001", LIST, (), 200, (), body, (), 0.1)
    target = Target("http://127.0.0.1:8000/v1", "m", "openai")
    (note,) = notes_of(target, OPENAI, [listed], DAY)
    assert note == (
        "the endpoint looks like llama.cpp (`owned_by` is llamacpp): `--contract llama-cpp` judges "
        "it by llama.cpp's own documentation"
    )
    assert len(notes_of(target, VLLM, [listed], DAY)) == 1
    assert notes_of(target, load_contract("llama-cpp"), [listed], DAY) == ()
    assert notes_of(target, load_contract("zero"), [listed], DAY) == ()
