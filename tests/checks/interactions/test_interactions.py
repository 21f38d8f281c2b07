"""Failures of combined parameters are found, minimised and reported once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping

import pytest

from conformance.api import Api, RetestBudget
from conformance.checks.interactions.cases import ASCII
from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.estimate import plan
from conformance.engine.judging import judge
from conformance.engine.selection import Options, reason_to_skip
from conformance.model import Finding, Stage, Tier, Verdict
from conformance.transport.coalesce import RequestCoalescer
from reference_server.behaviour.builders import Condition, choices, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import all_variants, chained
from reference_server.behaviour.triggers import is_batch
from tests.fake_server import MODEL, FakeServer
from tests.near_ties import NEAR_TIES

INTERACTIONS = {check.id: check for check in all_checks() if check.id.startswith("interactions.")}
FAILURES = {Verdict.FAIL, Verdict.WARN}
REQUESTS, TOKENS = 62, 4000
"""What all of them together may cost."""


def has_several_choices(request: Body) -> bool:
    return (request.get("n") or 1) > 1


def refusing(where: Condition) -> Behaviour:
    """Reject some requests with the status and envelope of an invalid request."""
    return rewrites(lambda request: {**request, "max_tokens": -1} if where(request) else request)


def flickering() -> Behaviour:
    """Greedy responses sometimes end in another word, and report near-ties on request."""
    chance = random.Random(8)

    def change(request: Body, of: list[Body]) -> list[Body]:
        fixed = request.get("logprobs") is not None or request.get("echo")
        if fixed or request.get("temperature") != 0 or chance.random() > 0.4:
            return of
        return [{**choice, "text": f"{choice['text'][:-1]}~"} for choice in of]

    return chained([choices(change), NEAR_TIES])


def findings(
    endpoint: FakeServer, *only: str, contract: str = "openai", retest_budget: int = 120
) -> Mapping[str, Finding]:
    """Judge an endpoint by the checks that the contract leaves in force."""
    held_to = load_contract(contract)
    transport, shared = RequestCoalescer(endpoint.send), RetestBudget(retest_budget)

    async def one(check_id: str) -> Finding:
        api = Api(transport, held_to, MODEL, has_key=True, retest_budget=shared)
        return await judge(INTERACTIONS[check_id], api)

    async def main() -> dict[str, Finding]:
        chosen = [
            check_id
            for check_id in only or INTERACTIONS
            if reason_to_skip(INTERACTIONS[check_id], held_to) is None
        ]
        return dict(zip(chosen, [await one(check_id) for check_id in chosen], strict=True))

    return asyncio.run(main())


def reported(found: Mapping[str, Finding]) -> list[str]:
    return [check_id for check_id, finding in found.items() if finding.verdict in FAILURES]


@pytest.mark.parametrize("document", CONTRACTS)
def test_conforming_endpoint_passes(document: str) -> None:
    found = findings(FakeServer("none", document), contract=document)
    assert {f.verdict for f in found.values()} <= {Verdict.PASS, Verdict.SKIPPED}
    skipped = [check_id for check_id, f in found.items() if f.verdict is Verdict.SKIPPED]
    assert document != "openai" or skipped == []


def test_three_way_checks_have_separate_rows() -> None:
    """Three settings that no row of the pairs brings together."""

    def where(request_body: dict[str, object]) -> bool:
        return (
            is_batch(request_body)
            and has_several_choices(request_body)
            and request_body.get("logprobs") == 0
        )

    endpoint = FakeServer()
    findings(endpoint, "interactions.text")
    bodies = [json.loads(request.body) for request in endpoint.requests]
    threes = FakeServer()
    findings(threes, "interactions.text-in-threes")
    more = [json.loads(request.body) for request in threes.requests]
    assert len(more) > len(bodies)
    assert all(body in more for body in bodies)
    assert any(map(where, more))


def test_one_cause_is_reported_by_the_pairs_alone() -> None:
    found = findings(
        FakeServer("stop-ignored@batch"), "interactions.stop", "interactions.stop-in-threes"
    )
    assert found["interactions.stop"].verdict is Verdict.FAIL
    assert found["interactions.stop-in-threes"].verdict is Verdict.SKIPPED


def test_smallest_request_is_reported() -> None:
    finding = findings(FakeServer("prompt-times-n"), "interactions.usage")["interactions.usage"]
    assert finding.expected is not None
    request = finding.expected.partition("smallest failing request: ")[2]
    assert request == f'prompt: "{ASCII}", n: 2'


def test_requests_are_limited_by_the_retest_budget() -> None:
    finder, request = "interactions.usage", {}
    for retest_budget in (0, 120):
        endpoint = FakeServer("prompt-times-n")
        found = findings(endpoint, finder, retest_budget=retest_budget)
        assert found[finder].verdict is Verdict.FAIL
        request[retest_budget] = len(endpoint.requests)
    assert request[0] < request[120] <= request[0] + 14


def test_response_from_a_cache_is_found() -> None:
    found = findings(FakeServer("answer-cached"), "interactions.asked-again")
    assert found["interactions.asked-again"].verdict in FAILURES


def test_rejected_parameters_are_left_out() -> None:
    endpoint = FakeServer(refusing(lambda request: request.get("suffix") is not None))
    found = findings(endpoint)
    assert {f.verdict for f in found.values()} == {Verdict.PASS}


def test_rejected_combination_of_required_parameters_fails() -> None:
    change = refusing(
        lambda request: request.get("stream") is True and request.get("stop") is not None
    )
    finding = findings(FakeServer(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL
    assert "refused with 400" in finding.message
    _, _, smallest = finding.message.partition("smallest rejected request: ")
    assert "stream: true" in smallest
    assert "stop: " in smallest
    assert not any(name in smallest for name in ("n: ", "echo: ", "logprobs: "))


def test_rejected_combination_of_optional_parameters_is_refused() -> None:
    change = refusing(
        lambda request: bool(request.get("echo")) and request.get("logprobs") is not None
    )
    found = findings(FakeServer(change))
    assert found["interactions.served"].verdict is Verdict.REFUSED
    assert reported(found) == []


def test_rejected_null_in_a_stream_fails() -> None:
    change = refusing(
        lambda request: (
            request.get("stream") is True and "suffix" in request and request["suffix"] is None
        )
    )
    finding = findings(FakeServer(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", all_variants())
def test_no_conforming_server_is_reported(name: str) -> None:
    assert reported(findings(FakeServer(name))) == []


def test_near_tie_that_flips_is_no_finding() -> None:
    compared = [f"interactions.{aspect}" for aspect in ("text", "stop", "text-in-threes")]
    found = findings(FakeServer(flickering()), *compared)
    assert reported(found) == []
    assert Verdict.INCONCLUSIVE in {finding.verdict for finding in found.values()}


def test_budget_is_kept() -> None:
    options = Options(tier=Tier.DEEP, stage=Stage.GENERATED)
    cost = plan(load_contract("openai"), options, checks=INTERACTIONS.values())
    assert cost.requests <= REQUESTS
    assert cost.tokens <= TOKENS


@pytest.mark.parametrize(
    ("fault", "check_id", "subject"),
    [
        ("prompt-times-n", "interactions.usage", "usage"),
        ("scores-zero@batch", "interactions.scores", "choices[].logprobs.token_logprobs"),
        ("pieces-stripped", "interactions.text", "choices[].text"),
    ],
)
def test_finding_names_the_wrong_field(fault: str, check_id: str, subject: str) -> None:
    finding = findings(FakeServer(fault), check_id)[check_id]
    assert (finding.verdict, finding.subject) == (Verdict.FAIL, subject)


@pytest.mark.parametrize("fault", ["empty-stop-kills", "empty-stop-kills@batch"])
def test_empty_stop_is_only_a_warning(fault: str) -> None:
    found = findings(FakeServer(fault))
    assert reported(found) == ["interactions.empty-stop"]
    assert found["interactions.empty-stop"].verdict is Verdict.WARN


def test_other_wrong_text_is_not_about_empty_stops() -> None:
    found = findings(FakeServer("pieces-stripped"), "interactions.text", "interactions.empty-stop")
    assert reported(found) == ["interactions.text"]


def test_empty_stop_may_be_refused_in_a_batch() -> None:
    found = findings(FakeServer("no-empty-stop-in-batch"))
    assert reported(found) == []
