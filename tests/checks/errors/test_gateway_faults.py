"""Constant gateway errors for bad requests are found; transient ones are not reported."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Exchange, Finding, Request, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.coalesce import RequestCoalescer
from tests.checks.catalogue import CHECKS

CONTRACT = load_contract("openai")
HOT = {"prompt": "1", "max_tokens": 1, "temperature": "hot"}
RIGHT = {"prompt": "1, 2", "max_tokens": 1}


class Gateway:
    """Replaces the status of rejected requests, a limited number of times or always."""

    def __init__(self, status: int, times: int = 100, *, down: bool = False) -> None:
        self._status = status
        self._times = times
        self._down = down
        self._inner = FakeEndpoint(CONTRACT)
        self.request: list[Any] = []

    async def send(self, request: Request) -> Exchange:
        exchange = await self._inner.send(request)
        self.request.append(json.loads(request.body))
        if self._times <= 0 or (exchange.status == 200 and not self._down):
            return exchange
        self._times -= 1
        return replace(exchange, status=self._status)


def found(endpoint: Gateway, *bodies: dict[str, Any]) -> Finding:
    async def run() -> Finding:
        transport = RequestCoalescer(endpoint.send)
        api = Api(transport, CONTRACT, MODEL)
        for body in bodies:
            await api.complete(**body)
        whole = Trace(tuple(RecordedExchange(exchange, CONTRACT) for exchange in api.exchanges))
        later = Api(transport, CONTRACT, MODEL, trace=whole)
        return await judge(CHECKS["errors.no-gateway-fault"], later)

    return asyncio.run(run())


@pytest.mark.parametrize("status", [502, 503, 504])
def test_gateway_status_for_every_bad_request_is_found(status: int) -> None:
    finding = found(Gateway(status), RIGHT, HOT)
    assert finding.verdict is Verdict.FAIL
    assert finding.seen is not None
    assert finding.seen.startswith(f"{status} each time for ")
    assert '\\"hot\\"' in finding.seen


@pytest.mark.parametrize("times", [1, 2])
def test_gateway_with_transient_errors_is_not_reported(times: int) -> None:
    assert found(Gateway(502, times), RIGHT, HOT).verdict is Verdict.PASS


def test_gateway_that_always_fails_is_not_reported() -> None:
    assert found(Gateway(502, down=True), RIGHT, HOT).verdict is Verdict.INCONCLUSIVE


def test_unknown_model_may_get_a_gateway_status() -> None:
    endpoint = Gateway(503)
    assert found(endpoint, {**RIGHT, "model": "nobody"}).verdict is Verdict.SKIPPED


def test_no_request_is_sent_without_suspicion() -> None:
    endpoint = Gateway(400)
    assert found(endpoint, RIGHT, HOT).verdict is Verdict.PASS
    assert len(endpoint.request) == 2
