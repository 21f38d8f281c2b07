"""Interactions: what breaks where settings meet is found, told small, and once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from conformance.api import Api, Patience
from conformance.contract import DOCUMENTS, load_contract
from conformance.discovery import all_checks
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Finding, Request, Stage, Tier, Verdict
from conformance.planning import plan
from conformance.runner import judge
from conformance.selection import Options, reason_to_skip
from conformance.wire.sharing import Sharing
from tests.conformance.checks.honest_variants import VARIANTS
from tests.conformance.checks.interactions.interaction_faults import (
    FAULTS,
    as_cached,
    flickering,
    has_copies,
    is_batch,
    refusing,
)
from tests.conformance.checks.rewriting import Change, Rewriting

INTERACTIONS = {check.id: check for check in all_checks() if check.id.startswith("interactions.")}
ACCUSING = {Verdict.FAIL, Verdict.WARN}
HONEST = Change()
REQUESTS, TOKENS = 62, 4000
"""What all of them together may cost."""


class Recording:
    """A changed endpoint that remembers what it was asked."""

    def __init__(self, change: Change, contract: str = "openai") -> None:
        self._inner = Rewriting(change, contract)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Exchange:
        self.requests.append(request)
        return await self._inner.send(request)


def findings(
    endpoint: Recording, *only: str, contract: str = "openai", patience: int = 120
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
    found = findings(Recording(HONEST, document), contract=document)
    assert {f.verdict for f in found.values()} <= {Verdict.PASS, Verdict.SKIPPED}
    skipped = [check_id for check_id, f in found.items() if f.verdict is Verdict.SKIPPED]
    assert document != "openai" or skipped == []


@pytest.mark.parametrize("name", FAULTS)
def test_what_breaks_where_settings_meet_is_found(name: str) -> None:
    change, finder = FAULTS[name]
    found = findings(Recording(change), finder)
    assert found[finder].verdict in ACCUSING, found[finder].message


def test_the_checks_of_threes_have_their_own_rows() -> None:
    """Three settings that no row of the pairs brings together."""

    def where(asked: dict[str, object]) -> bool:
        return is_batch(asked) and has_copies(asked) and asked.get("logprobs") == 0

    endpoint = Recording(HONEST)
    findings(endpoint, "interactions.text")
    bodies = [json.loads(request.body) for request in endpoint.requests]
    threes = Recording(HONEST)
    findings(threes, "interactions.text-in-threes")
    more = [json.loads(request.body) for request in threes.requests]
    assert len(more) > len(bodies)
    assert all(body in more for body in bodies)
    assert any(map(where, more))


def test_one_cause_is_told_by_the_pairs_alone() -> None:
    change, _ = FAULTS["stop sequences are lost in batches"]
    found = findings(Recording(change), "interactions.stop", "interactions.stop-in-threes")
    assert found["interactions.stop"].verdict is Verdict.FAIL
    assert found["interactions.stop-in-threes"].verdict is Verdict.SKIPPED


def test_the_smallest_request_is_told() -> None:
    change, finder = FAULTS["the prompt is billed for each copy"]
    finding = findings(Recording(change), finder)[finder]
    assert finding.expected is not None
    request = finding.expected.partition("the smallest request that shows otherwise: ")[2]
    assert request == 'prompt: "1, 2, 3, 4, 5, 6,", n: 2'


def test_no_more_is_asked_than_the_run_has_patience_for() -> None:
    change, finder = FAULTS["the prompt is billed for each copy"]
    asked = {}
    for patience in (0, 120):
        endpoint = Recording(change)
        found = findings(endpoint, finder, patience=patience)
        assert found[finder].verdict is Verdict.FAIL
        asked[patience] = len(endpoint.requests)
    assert asked[0] < asked[120] <= asked[0] + 14


def test_an_answer_from_a_cache_is_found() -> None:
    found = findings(Recording(as_cached()), "interactions.asked-again")
    assert found["interactions.asked-again"].verdict in ACCUSING


def test_what_is_declined_alone_is_left_out() -> None:
    endpoint = Recording(refusing(lambda asked: asked.get("suffix") is not None))
    found = findings(endpoint)
    assert {f.verdict for f in found.values()} == {Verdict.PASS}


def test_a_declined_combination_of_what_is_promised_is_a_failure() -> None:
    change = refusing(lambda asked: asked.get("stream") is True and asked.get("stop") is not None)
    finding = findings(Recording(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL
    assert "refused with 400" in finding.message
    _, _, smallest = finding.message.partition("the smallest request that is declined: ")
    assert "stream: true" in smallest
    assert "stop: " in smallest
    assert not any(name in smallest for name in ("n: ", "echo: ", "logprobs: "))


def test_a_declined_combination_of_what_is_optional_is_a_refusal() -> None:
    change = refusing(lambda asked: bool(asked.get("echo")) and asked.get("logprobs") is not None)
    found = findings(Recording(change))
    assert found["interactions.served"].verdict is Verdict.REFUSED
    assert accused(found) == []


def test_a_null_that_is_declined_beside_a_stream_is_a_failure() -> None:
    change = refusing(
        lambda asked: asked.get("stream") is True and "suffix" in asked and asked["suffix"] is None
    )
    finding = findings(Recording(change), "interactions.served")["interactions.served"]
    assert finding.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - {"greedy-flickers"}))
def test_no_honest_endpoint_is_accused(name: str) -> None:
    assert accused(findings(Recording(VARIANTS[name]))) == []


def test_a_near_tie_that_flips_is_no_finding() -> None:
    """The variant above flips what was echoed and scored, too, which no model does."""
    compared = [f"interactions.{aspect}" for aspect in ("text", "stop", "text-in-threes")]
    found = findings(Recording(flickering()), *compared)
    assert accused(found) == []
    assert Verdict.INCONCLUSIVE in {finding.verdict for finding in found.values()}


def test_the_price_is_kept() -> None:
    options = Options(tier=Tier.DEEP, stage=Stage.GENERATED)
    cost = plan(load_contract("openai"), options, checks=INTERACTIONS.values())
    assert cost.requests <= REQUESTS
    assert cost.tokens <= TOKENS
