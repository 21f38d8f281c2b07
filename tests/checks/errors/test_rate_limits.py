"""Rate limits and chat models: what is a failure, and what is accepted."""

from __future__ import annotations

import asyncio
import json

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.model import Arrival, Attempt, Exchange, Finding, Request, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from tests.checks.catalogue import CHECKS

OPENAI = load_contract("openai")
REQUESTED = Request("POST", "/completions", b'{"model":"m","prompt":"1"}')
LIMIT = json.dumps({"error": {"message": "later", "code": "rate_limit_exceeded"}}).encode()
QUOTA = json.dumps({"error": {"message": "pay", "code": "insufficient_user_quota"}}).encode()
DATE = "Sat, 21 Nov 2026 09:00:00 GMT"


async def unused(request: Request, *, fresh: bool = False) -> Exchange:
    raise AssertionError("nothing is asked")


class Unused:
    send = staticmethod(unused)


def answered(*attempts: Attempt, status: int = 200, headers: tuple = (), body: bytes = b"{}"):
    exchange = Exchange(
        "x1", REQUESTED, (*attempts, Attempt(1.0, 0.1, status, None)), status, headers, body,
        (Arrival(0.1, len(body)),), 0.1,
    )  # fmt: skip
    return RecordedExchange(exchange, OPENAI)


def found(check_id: str, *exchanges: RecordedExchange) -> Finding:
    api = Api(Unused(), OPENAI, "m", trace=Trace(exchanges))
    return asyncio.run(judge(CHECKS[check_id], api))


@pytest.mark.parametrize(
    ("exchange", "verdict"),
    [
        (answered(), Verdict.SKIPPED),
        (answered(status=429, body=LIMIT), Verdict.PASS),
        (answered(status=429, body=b"slow down"), Verdict.PASS),
        (answered(Attempt(0.0, 0.1, 429, None, "1", LIMIT)), Verdict.PASS),
        (answered(Attempt(0.0, 0.1, 503, None, "1", LIMIT)), Verdict.WARN),
        (answered(Attempt(0.0, 0.1, 503, None, None, b"busy")), Verdict.SKIPPED),
        (answered(Attempt(0.0, 0.1, None, "reset")), Verdict.SKIPPED),
        (answered(status=403, body=LIMIT), Verdict.WARN),
        (answered(status=403, body=QUOTA), Verdict.SKIPPED),
        (answered(status=503, body=b'{"error":[1]}'), Verdict.SKIPPED),
        (answered(status=503, body=b'{"error":{"code":["rate_limit_exceeded"]}}'), Verdict.SKIPPED),
    ],
)
def test_rate_limit_must_have_status_429(exchange: RecordedExchange, verdict: Verdict) -> None:
    assert found("errors.rate-limit", answered(), exchange).verdict is verdict


@pytest.mark.parametrize(
    ("retry_after", "verdict"),
    [
        ("7", Verdict.PASS),
        (" 0.5 ", Verdict.PASS),
        (DATE, Verdict.PASS),
        ("soon", Verdict.WARN),
        ("", Verdict.WARN),
        ("-1", Verdict.WARN),
        (None, Verdict.WARN),
    ],
)
def test_status_429_must_have_retry_after(retry_after: str | None, verdict: Verdict) -> None:
    first = answered(Attempt(0.0, 0.1, 429, None, retry_after, LIMIT))
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    last = answered(status=429, headers=headers, body=LIMIT)
    assert found("errors.retry-after", first).verdict is verdict
    assert found("errors.retry-after", last).verdict is verdict


def test_status_503_needs_no_retry_after() -> None:
    assert found("errors.retry-after", answered(status=503, body=LIMIT)).verdict is Verdict.SKIPPED


# ── models for chat ──────────────────────────────────────────────────────────────────────────────


class Declining:
    """An endpoint that has one answer."""

    def __init__(self, status: int, message: str, param: str | None) -> None:
        self._status = status
        error = {"message": message, "type": "x", "param": param, "code": None}
        self._body = json.dumps({"error": error}).encode()

    async def send(self, request: Request, **_: bool) -> Exchange:
        attempt = Attempt(0.0, 0.1, self._status, None)
        return Exchange("x1", request, (attempt,), self._status, (), self._body, (), 0.1)


CHAT = "This is a chat model, not supported here."


@pytest.mark.parametrize(
    ("endpoint", "verdict"),
    [
        (Declining(404, CHAT, "model"), Verdict.PASS),
        (Declining(400, CHAT, "model"), Verdict.WARN),
        (Declining(404, CHAT, None), Verdict.WARN),
        (Declining(404, "The model gpt-4o does not exist", None), Verdict.SKIPPED),
        (Declining(400, "Unknown model", None), Verdict.SKIPPED),
        (Declining(403, CHAT, None), Verdict.SKIPPED),
        (Declining(503, CHAT, None), Verdict.SKIPPED),
        (Declining(200, CHAT, None), Verdict.SKIPPED),
    ],
)
def test_known_chat_model_is_checked(endpoint: Declining, verdict: Verdict) -> None:
    api = Api(endpoint, OPENAI, "m")
    assert asyncio.run(judge(CHECKS["model.chat-only-refused"], api)).verdict is verdict


def test_tested_chat_model_is_skipped() -> None:
    api = Api(Unused(), OPENAI, "gpt-4o")
    check = CHECKS["model.chat-only-refused"]
    assert asyncio.run(judge(check, api)).verdict is Verdict.SKIPPED
