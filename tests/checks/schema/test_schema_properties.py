"""The contract-driven checks find their faults and report no conforming endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api, RetestBudget
from conformance.checks import Check
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.contract import DOCUMENTS, Contract, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.generation.contract_requests import GeneratedRequests, generated_requests
from conformance.model import Credentials, Exchange, Finding, Level, Request, Stage, Verdict
from conformance.testing import FakeEndpoint
from conformance.transport.coalesce import RequestCoalescer

MODEL = "fake-model"
OPENAI = load_contract("openai")
CHECKS = [check for check in all_checks() if check.id.startswith("schema.")]

Spoil = Callable[[Request, Exchange], Exchange]


class Spoilt:
    """The fake endpoint behind a function that changes its responses, and counts them."""

    def __init__(self, contract: Contract, spoil: Spoil) -> None:
        self._inner = FakeEndpoint(contract, MODEL)
        self._spoil = spoil
        self.bodies: list[bytes] = []

    async def send(self, request: Request) -> Exchange:
        self.bodies.append(request.body)
        return self._spoil(request, await self._inner.send(request))


def conforming(request: Request, exchange: Exchange) -> Exchange:
    return exchange


def found(check: Check, spoil: Spoil = conforming, contract: Contract = OPENAI) -> Finding:
    async def run() -> Finding:
        coalescer = RequestCoalescer(Spoilt(contract, spoil).send)
        return await judge(check, Api(coalescer, contract, MODEL, has_key=True))

    return asyncio.run(run())


def body_of(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def typed(exchange: Exchange, type_: str) -> Exchange:
    return replace(exchange, headers=(("content-type", type_),))


def reported(exchange: Exchange, status: int, body: bytes) -> Exchange:
    return replace(exchange, status=status, body=body)


# ── how endpoints err ────────────────────────────────────────────────────────────────────────────


def without_id(request: Request, exchange: Exchange) -> Exchange:
    return replace(exchange, body=exchange.body.replace(b'"id":"cmpl', b'"no":"cmpl'))


def as_html(request: Request, exchange: Exchange) -> Exchange:
    return typed(exchange, "text/html")


def served(request: Request, exchange: Exchange) -> Exchange:
    if (exchange.status or 0) < 400 or request.credentials is not Credentials.OWN:
        return exchange
    return reported(exchange, 200, b'{"choices": [{"text": "a"}]}')


def broken(request: Request, exchange: Exchange) -> Exchange:
    return reported(exchange, 500, b"{}") if (exchange.status or 0) >= 400 else exchange


def broken_by_options(request: Request, exchange: Exchange) -> Exchange:
    more = body_of(request).keys() - {"model", "prompt", "max_tokens", "stream", "temperature"}
    return reported(exchange, 500, b"{}") if exchange.status == 200 and more else exchange


def penalties_refused(request: Request, exchange: Exchange) -> Exchange:
    penalties = {"presence_penalty", "frequency_penalty"} & body_of(request).keys()
    if exchange.status != 200 or not penalties:
        return exchange
    return reported(exchange, 400, b'{"error": {"message": "no"}}')


def error_as_success(request: Request, exchange: Exchange) -> Exchange:
    return replace(exchange, status=200) if exchange.status == 400 else exchange


def bare(request: Request, exchange: Exchange) -> Exchange:
    return reported(exchange, 400, b'{"detail": "no"}') if exchange.status == 400 else exchange


def unprocessable(request: Request, exchange: Exchange) -> Exchange:
    return replace(exchange, status=422) if exchange.status == 400 else exchange


def without_code(request: Request, exchange: Exchange) -> Exchange:
    body = exchange.body.replace(b'"code":', b'"no":')
    return replace(exchange, body=body) if exchange.status == 400 else exchange


def leaking(request: Request, exchange: Exchange) -> Exchange:
    body = exchange.body.replace(b'"message":"', b'"message":"dial tcp 10.0.0.7:8080: ')
    return replace(exchange, body=body) if exchange.status == 400 else exchange


def streamed_refusal(request: Request, exchange: Exchange) -> Exchange:
    streams = body_of(request).get("stream") is True
    return replace(exchange, status=404) if exchange.status == 400 and streams else exchange


def everybody(request: Request, exchange: Exchange) -> Exchange:
    return reported(exchange, 200, b"{}") if exchange.status == 401 else exchange


FAULTS: dict[str, Spoil] = {
    "schema.valid-served": broken_by_options,
    "schema.answers-fit": without_id,
    "schema.answers-announced": as_html,
    "schema.streams-fit": without_id,
    "schema.streams-announced": as_html,
    "schema.wrong-type-refused": served,
    "schema.out-of-range-refused": unprocessable,
    "schema.model-required": served,
    "schema.not-json-refused": served,
    "schema.no-server-fault": broken,
    "schema.errors-never-as-success": error_as_success,
    "schema.refusals-readable": bare,
    "schema.refusals-fit": without_code,
    "schema.refusals-announced": as_html,
    "schema.refusals-leak-nothing": leaking,
    "schema.streams-refused-alike": streamed_refusal,
    "schema.key-required": everybody,
    "schema.key-looked-at": everybody,
}


def test_no_check_is_without_a_fault() -> None:
    assert {check.id for check in CHECKS} == FAULTS.keys()
    assert all(check.stage is Stage.GENERATED for check in CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_check_finds_its_fault(check: Check) -> None:
    finding = found(check, FAULTS[check.id])
    broken = Verdict.FAIL if finding.level is Level.MUST else Verdict.WARN
    assert finding.verdict is broken, finding.message


@pytest.mark.parametrize("document", DOCUMENTS)
def test_conforming_endpoint_is_not_reported(document: str) -> None:
    contract = load_contract(document)
    said = {check.id: found(check, contract=contract) for check in CHECKS}
    assert {key: f.message for key, f in said.items() if f.verdict is not Verdict.PASS} == {}


@pytest.mark.parametrize(
    ("document", "verdict"), [("zero", Verdict.FAIL), ("openai", Verdict.REFUSED)]
)
def test_rejection_of_a_documented_request_fails(document: str, verdict: Verdict) -> None:
    (check,) = (check for check in CHECKS if check.id == "schema.valid-served")
    finding = found(check, penalties_refused, load_contract(document))
    assert finding.verdict is verdict


def test_smallest_failing_request_is_shown() -> None:
    (check,) = (check for check in CHECKS if check.id == "schema.answers-fit")
    finding = found(check, without_id)
    assert finding.expected is not None
    shown = json.loads(finding.expected.partition("smallest failing request: ")[2])
    assert shown.keys() == {"model", "prompt", "max_tokens"}


def test_field_that_violates_the_schema_is_named() -> None:
    def spoil(request: Request, exchange: Exchange) -> Exchange:
        return replace(exchange, body=exchange.body.replace(b'"logprobs":null', b'"logprobs":7'))

    (check,) = (check for check in CHECKS if check.id == "schema.answers-fit")
    finding = found(check, spoil)
    assert (finding.verdict, finding.subject) == (Verdict.FAIL, "choices[].logprobs")


def test_failure_is_reported_without_a_retest_budget() -> None:
    (check,) = (check for check in CHECKS if check.id == "schema.answers-fit")

    async def run() -> Finding:
        coalescer = RequestCoalescer(Spoilt(OPENAI, without_id).send)
        return await judge(check, Api(coalescer, OPENAI, MODEL, retest_budget=RetestBudget(0)))

    finding = asyncio.run(run())
    assert finding.verdict is Verdict.FAIL
    assert len(finding.exchanges) == 5


def test_server_that_always_fails_is_not_reported() -> None:
    (check,) = (check for check in CHECKS if check.id == "schema.no-server-fault")
    finding = found(check, lambda _, exchange: reported(exchange, 500, b"{}"))
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_all_checks_share_a_few_requests() -> None:
    spoilt = Spoilt(OPENAI, conforming)

    async def run() -> None:
        coalescer = RequestCoalescer(spoilt.send)
        for check in CHECKS:
            await judge(check, Api(coalescer, OPENAI, MODEL, has_key=True))

    asyncio.run(run())
    assert len(spoilt.bodies) <= 18


def test_seed_decides_what_is_requested() -> None:
    async def request(seed: int) -> GeneratedRequests:
        api = Api(FakeEndpoint(OPENAI), OPENAI, MODEL, seed=seed)
        return await generated_requests(api, MINIMAL_REQUEST)

    one, other = asyncio.run(request(1)), asyncio.run(request(2))
    assert one != other
    assert one == asyncio.run(request(1))
