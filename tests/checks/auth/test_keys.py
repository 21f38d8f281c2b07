"""Checks of the key run only if the run has one, and alter nothing but the key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

import pytest

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import (
    WRONG_KEY,
    Credentials,
    Exchange,
    Finding,
    Request,
    Target,
    Verdict,
)
from conformance.record.events import FindingMade
from conformance.testing import FakeEndpoint
from conformance.transport.client import Client
from conformance.transport.redact import is_placeholder
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
REAL = "sk-Zk3hT9wQ1vB7nM5xL2cD8f"


async def verdicts(key: str | None) -> set[Verdict]:
    target = Target("http://fake/v1", MODEL, "openai", key)
    options = Options(select=("auth.missing-key", "auth.wrong-key"))
    transport = FakeServer("everybody-served")
    async with aclosing(run(target, OPENAI, options, transport=transport)) as events:
        return {e.finding.verdict async for e in events if isinstance(e, FindingMade)}


def test_serving_any_key_is_a_failure() -> None:
    assert Verdict.FAIL in asyncio.run(verdicts(REAL))


@pytest.mark.parametrize("key", [None, "EMPTY", "sk-no-key-required", "not-needed", "lm-studio"])
def test_placeholder_key_is_not_checked(key: str | None) -> None:
    assert is_placeholder(key)
    assert asyncio.run(verdicts(key)) == {Verdict.SKIPPED}


def test_issued_key_is_no_placeholder() -> None:
    assert not is_placeholder(REAL)


# ── secret headers besides ───────────────────────────────────────────────────────────────────────

TOKEN = "t0ken-of-the-gateway-4f1c"
CHECKS = ("auth.missing-key", "auth.wrong-key")
Opens = Callable[[Mapping[str, str]], bool]
Judged = tuple[list[Finding], list[Request]]


class Gateway:
    """An endpoint that looks at the headers of a request, and serves those that a test allows."""

    def __init__(self, target: Target, opens: Opens) -> None:
        self._target, self._opens = target, opens
        self._inner = FakeEndpoint(OPENAI, MODEL)
        self.requests: list[Request] = []

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        self.requests.append(request)
        credentials = Credentials.OWN if self._opens(self._received(request)) else Credentials.NONE
        known = replace(request, credentials=credentials, headers=())
        return replace(await self._inner.send(known, fresh=fresh), request=request)

    def _received(self, request: Request) -> Mapping[str, str]:
        return {name.lower(): value for name, value in Client(self._target).headers(request)}


def judged(opens: Opens, *, key: str | None = REAL, header: str = "X-Gateway-Token") -> Judged:
    """Judge an endpoint with a secret header; return its findings and requests."""
    target = Target(
        *("http://fake/v1", MODEL, "openai", key), headers=((header, TOKEN),), secrets=(TOKEN,)
    )
    gateway = Gateway(target, opens)

    async def findings() -> list[Finding]:
        options = Options(select=CHECKS)
        async with aclosing(run(target, OPENAI, options, transport=gateway)) as events:
            return [event.finding async for event in events if isinstance(event, FindingMade)]

    return asyncio.run(findings()), gateway.requests


def has_key(received: Mapping[str, str]) -> bool:
    return received.get("authorization") == f"Bearer {REAL}"


def has_token(received: Mapping[str, str]) -> bool:
    return received.get("x-gateway-token") == TOKEN


def test_other_secret_headers_are_kept() -> None:
    findings, requests = judged(lambda received: has_key(received) and has_token(received))
    assert [finding.verdict for finding in findings] == [Verdict.PASS, Verdict.PASS]
    assert not [request for request in requests if request.headers]


def test_key_that_nobody_reads_is_found() -> None:
    findings, requests = judged(lambda _: True)
    assert [finding.verdict for finding in findings] == [Verdict.FAIL, Verdict.FAIL]
    # One request without any secret is enough for both.
    assert [request.headers for request in requests if request.headers] == [
        (("X-Gateway-Token", ""),)
    ]


@pytest.mark.parametrize(
    "opens", [has_token, lambda received: has_token(received) or has_key(received)]
)
def test_header_that_is_the_key_is_not_judged(opens: Opens) -> None:
    findings, _ = judged(opens)
    assert {finding.verdict for finding in findings} == {Verdict.SKIPPED}
    sentence = (
        "the endpoint serves a request that has X-Gateway-Token but no valid API key, and answers "
        "one that has neither with status 401"
    )
    assert {finding.message for finding in findings} == {sentence}


def test_header_for_a_proxy_is_no_key() -> None:
    findings, _ = judged(lambda _: True, key=None)
    assert {finding.message for finding in findings} == {"the run uses no API key"}


@pytest.mark.parametrize(
    ("header", "wrong"), [("api-key", WRONG_KEY), ("Authorization", f"Bearer {WRONG_KEY}")]
)
def test_key_in_a_header_is_replaced(header: str, wrong: str) -> None:
    findings, requests = judged(
        lambda received: received.get(header.lower()) == TOKEN, key=None, header=header
    )
    assert [finding.verdict for finding in findings] == [Verdict.PASS, Verdict.PASS]
    assert {request.headers for request in requests} == {(), ((header, ""),), ((header, wrong),)}
    served, _ = judged(lambda _: True, key=None, header=header)
    assert [finding.verdict for finding in served] == [Verdict.FAIL, Verdict.FAIL]
