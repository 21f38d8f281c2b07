"""Interactions: what breaks where settings meet is found, told small, and once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping

import pytest

from conformance.api import Api, Patience
from conformance.contract import DOCUMENTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.estimate import plan
from conformance.engine.runner import judge
from conformance.engine.selection import Options, reason_to_skip
from conformance.model import Finding, Stage, Tier, Verdict
from conformance.transport.coalesce import Sharing
from reference_server.behaviour.builders import Condition, asks, choices
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import all_variants, chained
from reference_server.behaviour.triggers import is_batch
from tests.fake_server import MODEL, FakeServer
from tests.near_ties import NEAR_TIES

INTERACTIONS = {check.id: check for check in all_checks() if check.id.startswith("interactions.")}
ACCUSING = {Verdict.FAIL, Verdict.WARN}
REQUESTS, TOKENS = 62, 4000
"""What all of them together may cost."""


def has_copies(asked: Body) -> bool:
    return (asked.get("n") or 1) > 1


def refusing(where: Condition) -> Behaviour:
    """Decline some requests, as what must be declined is."""
    return asks(lambda asked: {**asked, "max_tokens": -1} if where(asked) else asked)


def flickering() -> Behaviour:
    """Greedy answers end in another word now and then, and tell of near-ties where asked."""
    chance = random.Random(8)

    def change(asked: Body, of: list[Body]) -> list[Body]:
        fixed = asked.get("logprobs") is not None or asked.get("echo")
        if fixed or asked.get("temperature") != 0 or chance.random() > 0.4:
            return of
        return [{**choice, "text": f"{choice['text'][:-1]}~"} for choice in of]

    return chained([choices(change), NEAR_TIES])


def findings(
    endpoint: FakeServer, *only: str, contract: str = "openai", patience: int = 120
) -> Mapping[str, Finding]:
    """Judge an endpoint by the checks that the contract leaves in force."""
    held_to = load_contract(contract)
    transport, shared = Sharing(endpoint.send), Patience(patience)

    async def one(check_id: str) -> Finding:
        api = Api(transport, held_to, MODEL, has_key=True, patience=shared)
        return await judge(INTERACTIONS[check_id], api)

    async def main() -> dict[str, Finding]:
        chosen = [
            check_id
            for check_id in only or INTERACTIONS
            if reason_to_skip(INTERACTIONS[check_id], held_to) is None
        ]
        return dict(zip(chosen, [await one(check_id) for check_id in chosen], strict=True))

    return asyncio.run(main())


def accused(found: Mapping[str, Finding]) -> list[str]:
    return [check_id for check_id, finding in found.items() if finding.verdict in ACCUSING]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_ideal_endpoint_passes(document: str) -> None:
    found = findings(FakeServer("none", document), contract=document)
    assert {f.verdict for f in found.values()} <= {Verdict.PASS, Verdict.SKIPPED}
    skipped = [check_id for check_id, f in found.items() if f.verdict is Verdict.SKIPPED]
    assert document != "openai" or skipped == []


def test_the_checks_of_threes_have_their_own_rows() -> None:
    """Three settings that no row of the pairs brings together."""

    def where(asked: dict[str, object]) -> bool:
        return is_batch(asked) and has_copies(asked) and asked.get("logprobs") == 0

    endpoint = FakeServer()
    findings(endpoint, "interactions.text")
    bodies = [json.loads(request.body) for request in endpoint.requests]
    threes = FakeServer()
    findings(threes, "interactions.text-in-threes")
    more = [json.loads(request.body) for request in threes.requests]
    assert len(more) > len(bodies)
    assert all(body in more for body in bodies)
    assert any(map(where, more))


def test_one_cause_is_told_by_the_pairs_alone() -> None:
    found = findings(
        FakeServer("stop-ignored@batch"), "interactions.stop", "interactions.stop-in-threes"
    )
    assert found["interactions.stop"].verdict is Verdict.FAIL
    assert found["interactions.stop-in-threes"].verdict is Verdict.SKIPPED


def test_the_smallest_request_is_told() -> None:
    finding = findings(FakeServer("prompt-times-n"), "interactions.usage")["interactions.usage"]
    assert finding.expected is not None
    request = finding.expected.partition("the smallest request that shows otherwise: ")[2]
    assert request == 'prompt: "1, 2, 3, 4, 5, 6,", n: 2'


def test_no_more_is_asked_than_the_run_has_patience_for() -> None:
    finder, asked = "interactions.usage", {}
    for patience in (0, 120):
        endpoint = FakeServer("prompt-times-n")
        found = findings(endpoint, finder, patience=patience)
        assert found[finder].verdict is Verdict.FAIL
        asked[patience] = len(endpoint.requests)
    assert asked[0] < asked[120] <= asked[0] + 14


def test_an_answer_from_a_cache_is_found() -> None:
    found = findings(FakeServer("answer-cached"), "interactions.asked-again")
    assert found["interactions.asked-again"].verdict in ACCUSING


def test_what_is_declined_alone_is_left_out() -> None:
    endpoint = FakeServer(refusing(lambda asked: asked.get("suffix") is not None))
    found = findings(endpoint)
    assert {f.verdict for f in found.values()} == {Verdict.PASS}


def test_a_declined_combination_of_what_is_promised_is_a_failure() -> None:
    change = refusing(lambda asked: asked.get("stream") is True and asked.get("stop") is not None)
    finding = findings(FakeServer(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL
    assert "refused with 400" in finding.message
    _, _, smallest = finding.message.partition("the smallest request that is declined: ")
    assert "stream: true" in smallest
    assert "stop: " in smallest
    assert not any(name in smallest for name in ("n: ", "echo: ", "logprobs: "))


def test_a_declined_combination_of_what_is_optional_is_a_refusal() -> None:
    change = refusing(lambda asked: bool(asked.get("echo")) and asked.get("logprobs") is not None)
    found = findings(FakeServer(change))
    assert found["interactions.served"].verdict is Verdict.REFUSED
    assert accused(found) == []


def test_a_null_that_is_declined_beside_a_stream_is_a_failure() -> None:
    change = refusing(
        lambda asked: asked.get("stream") is True and "suffix" in asked and asked["suffix"] is None
    )
    finding = findings(FakeServer(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", all_variants())
def test_no_correct_server_is_accused(name: str) -> None:
    assert accused(findings(FakeServer(name))) == []


def test_a_near_tie_that_flips_is_no_finding() -> None:
    compared = [f"interactions.{aspect}" for aspect in ("text", "stop", "text-in-threes")]
    found = findings(FakeServer(flickering()), *compared)
    assert accused(found) == []
    assert Verdict.INCONCLUSIVE in {finding.verdict for finding in found.values()}


def test_the_price_is_kept() -> None:
    options = Options(tier=Tier.DEEP, stage=Stage.GENERATED)
    cost = plan(load_contract("openai"), options, checks=INTERACTIONS.values())
    assert cost.requests <= REQUESTS
    assert cost.tokens <= TOKENS
