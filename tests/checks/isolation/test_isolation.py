"""Requests that affect each other are found, and only those."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.model import Finding, TransportOptions, Verdict
from conformance.transport.coalesce import RequestCoalescer
from tests.fake_server import MODEL, FakeServer

ISOLATION = [check for check in all_checks() if check.id.startswith("isolation.") and check.asks]
UNFIT = [TransportOptions().at_most(1), TransportOptions(rate=2.0)]
COST = 30
"""Requests of all checks together, if no other check sends a part of them."""


def findings(server: FakeServer, pace: TransportOptions | None = None) -> Mapping[str, Finding]:
    contract = load_contract("openai")
    shared = RequestCoalescer(server.send)

    async def judged() -> Mapping[str, Finding]:
        found = {}
        for check in ISOLATION:
            api = Api(shared, contract, MODEL, pace=pace or TransportOptions())
            found[check.id] = await judge(check, api)
        return found

    return asyncio.run(judged())


def test_conforming_server_passes_at_a_fixed_price() -> None:
    server = FakeServer()
    assert {finding.verdict for finding in findings(server).values()} == {Verdict.PASS}
    assert len(server.requests) == COST


@pytest.mark.parametrize("pace", UNFIT)
def test_too_slow_a_pace_sends_nothing(pace: TransportOptions) -> None:
    server = FakeServer()
    found = findings(server, pace)
    assert {finding.verdict for finding in found.values()} == {Verdict.SKIPPED}
    assert server.requests == []


def test_the_same_bytes_are_sent_every_time() -> None:
    servers = FakeServer(), FakeServer()
    for server in servers:
        findings(server)
    bodies = [sorted(request.body for request in server.requests) for server in servers]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("penalty-of-neighbour", "a request with penalties"),
        ("bias-of-neighbour", "a request with `logit_bias`"),
        ("stop-of-neighbour", "a request that `stop` ends"),
    ],
)
def test_the_setting_that_leaks_is_named(fault: str, words: str) -> None:
    finding = findings(FakeServer(fault))["isolation.own-settings"]
    assert finding.verdict is Verdict.FAIL
    assert f"beside {words}" in (finding.seen or "")
    assert "and 0 times beside a plain request" in (finding.seen or "")
    assert finding.needs_suite


def test_a_swapped_response_names_both_prompts() -> None:
    finding = findings(FakeServer("mixed-up-at-four"))["isolation.own-prompt"]
    assert finding.verdict is Verdict.FAIL
    assert "which continues" in (finding.seen or "")
    assert finding.needs_suite


def test_swapped_responses_are_reported_once() -> None:
    found = findings(FakeServer("mixed-up-at-four"))
    assert found["isolation.own-settings"].message == "same cause as isolation.own-prompt"


@pytest.mark.parametrize(
    "variant", ["near-ties", "near-ties-often", "near-ties-in-batches", "near-ties-when-cached"]
)
def test_near_ties_in_batches_are_not_reported(variant: str) -> None:
    found = findings(FakeServer(variant))
    assert {finding.verdict for finding in found.values()} <= {Verdict.PASS, Verdict.SKIPPED}
