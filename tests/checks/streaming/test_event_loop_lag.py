"""A burst is not reported if a busy client may have caused it."""

from __future__ import annotations

import asyncio
import time

from conformance.api import Api
from conformance.checks._shared.event_loop_lag import INTERVAL_SECONDS, event_loop_lag
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Exchange, Finding, Request, Verdict
from conformance.transport.coalesce import RequestCoalescer
from tests.checks.catalogue import CHECKS
from tests.fake_server import MODEL, FakeServer

HELD = 0.3
"""Seconds for which a busy machine keeps the program from its work."""


def judged(*, busy: bool) -> Finding:
    """Judge an endpoint that sends its streams in one burst, from a machine that is busy or not."""
    contract = load_contract("openai")
    endpoint = FakeServer("fake-streaming")
    held = iter([busy])

    async def send(request: Request) -> Exchange:
        if (
            b'"max_tokens":48' in request.body
            and b'"stream":true' in request.body
            and next(held, False)
        ):
            time.sleep(HELD)  # noqa: ASYNC251 - a loop that is held up is what this is about
        return await endpoint.send(request)

    api = Api(RequestCoalescer(send), contract, MODEL, has_key=True)
    return asyncio.run(judge(CHECKS["streaming.incremental"], api))


def test_burst_is_found() -> None:
    assert judged(busy=False).verdict is Verdict.WARN


def test_burst_on_a_busy_machine_shows_nothing() -> None:
    finding = judged(busy=True)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "this machine was too busy" in finding.message


def test_blocked_event_loop_is_late() -> None:
    async def watched() -> tuple[float, float]:
        async with event_loop_lag() as calm:
            await asyncio.sleep(4 * INTERVAL_SECONDS)
        async with event_loop_lag() as busy:
            await asyncio.sleep(2 * INTERVAL_SECONDS)
            time.sleep(HELD)  # noqa: ASYNC251 - this is what is measured
        return calm.worst, busy.worst

    calm, busy = asyncio.run(watched())
    assert busy >= HELD - INTERVAL_SECONDS > calm >= 0
