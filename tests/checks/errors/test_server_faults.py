"""Valid requests that always break the server are found; transient errors are not reported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.model import Arrival, Exchange, Finding, Level, Request, Tier, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.coalesce import RequestCoalescer

CONTRACT = load_contract("openai")
CHECK = next(c for c in all_checks() if c.id == "errors.good-input-no-server-fault")
NON_STREAMING: dict[str, Any] = {"prompt": "1, 2,", "max_tokens": 1}
BATCH = {**NON_STREAMING, "prompt": ["1", "2"]}


class Breaking:
    """A fake endpoint that returns 500 for some requests, for some of them only at first."""

    def __init__(self, breaks: Callable[[dict[str, Any]], bool], *, times: int = 100) -> None:
        self._breaks = breaks
        self._times = times
        self._inner = FakeEndpoint(CONTRACT)
        self.request: list[dict[str, Any]] = []

    async def send(self, request: Request) -> Exchange:
        exchange = await self._inner.send(request)
        body = json.loads(request.body)
        self.request.append(body)
        if not self._breaks(body) or self._times <= 0:
            return exchange
        self._times -= 1
        body = b'{"error": {"message": "?"}}'
        arrivals = (Arrival(0.01, len(body)),)
        return replace(exchange, status=500, body=body, arrivals=arrivals)


def judged(
    endpoint: Breaking, *bodies: dict[str, Any], findings: tuple[Finding, ...] = ()
) -> Finding:
    """Send some requests, then look at what came back to them."""

    async def run() -> Finding:
        transport = RequestCoalescer(endpoint.send)
        api = Api(transport, CONTRACT, MODEL)
        for body in bodies:
            await api.complete(**body)
        responses = tuple(RecordedExchange(exchange, CONTRACT) for exchange in api.exchanges)
        return await judge(CHECK, Api(transport, CONTRACT, MODEL, trace=Trace(responses, findings)))

    return asyncio.run(run())


def is_batch(body: dict[str, Any]) -> bool:
    return isinstance(body.get("prompt"), list)


def has_null(body: dict[str, Any]) -> bool:
    return None in body.values()


def test_prompt_form_that_breaks_the_server_is_found() -> None:
    found = judged(Breaking(is_batch), NON_STREAMING, BATCH)
    assert found.verdict is Verdict.FAIL
    assert found.seen is not None
    assert found.seen.startswith("500 each time: several prompts")


def test_null_that_breaks_the_server_is_named() -> None:
    found = judged(Breaking(has_null), NON_STREAMING, {**NON_STREAMING, "top_p": None})
    assert found.verdict is Verdict.FAIL
    assert "`top_p: null`" in (found.seen or "")


@pytest.mark.parametrize("name", ["prompt", "max_tokens"])
def test_null_is_not_told_as_absence(name: str) -> None:
    found = judged(Breaking(has_null), NON_STREAMING, {**NON_STREAMING, name: None})
    assert f"500 each time: `{name}: null` " in (found.seen or "")


def test_failure_of_a_simpler_request_is_reported_once() -> None:
    found = judged(Breaking(is_batch), {**BATCH, "n": 2, "echo": True}, BATCH)
    assert "`n`" not in (found.seen or "")


def test_server_with_one_transient_error_is_not_reported() -> None:
    assert judged(Breaking(is_batch, times=1), NON_STREAMING, BATCH).verdict is Verdict.PASS
    assert judged(Breaking(is_batch, times=2), NON_STREAMING, BATCH).verdict is Verdict.PASS


def test_server_that_always_fails_is_not_reported() -> None:
    assert judged(Breaking(lambda _: True), NON_STREAMING, BATCH).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "body",
    [
        {**NON_STREAMING, "max_tokens": "many"},
        {**NON_STREAMING, "temperature": 3},
        {**NON_STREAMING, "no_such_parameter": 1},
        {**NON_STREAMING, "model": "another"},
    ],
    ids=json.dumps,
)
def test_rejectable_request_is_left_to_other_checks(body: dict[str, Any]) -> None:
    endpoint = Breaking(lambda request: request.items() >= body.items())
    assert judged(endpoint, NON_STREAMING, body).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "body",
    [{"max_tokens": 1}, {**NON_STREAMING, "prompt": ""}, {**NON_STREAMING, "stop": []}],
    ids=json.dumps,
)
def test_unusual_request_that_breaks_the_server_is_found(body: dict[str, Any]) -> None:
    def breaks(sent: dict[str, Any]) -> bool:
        return sent.get("prompt") == body.get("prompt") and sent.get("stop") == body.get("stop")

    found = judged(Breaking(breaks), {**NON_STREAMING, "prompt": "3"}, body)
    assert found.verdict is Verdict.FAIL


def test_cause_found_by_another_check_is_not_repeated() -> None:
    result = Finding(
        id="prompt.batch-complete",
        title="",
        requirement="prompt.array-of-strings",
        level=Level.MUST,
        subject="prompt",
        tier=Tier.SMOKE,
        verdict=Verdict.FAIL,
        exchanges=("x0001",),
    )
    endpoint = Breaking(is_batch)
    exchange = asyncio.run(
        RequestCoalescer(endpoint.send).send(Request("POST", "/completions", b"{}"))
    )
    found = judged(Breaking(is_batch), BATCH, findings=(replace(result, exchanges=(exchange.id,)),))
    assert found.verdict is Verdict.PASS


def test_no_request_is_sent_without_suspicion() -> None:
    endpoint = Breaking(lambda _: False)
    judged(endpoint, NON_STREAMING, BATCH)
    assert len(endpoint.request) == 2
