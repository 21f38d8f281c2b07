"""Valid requests that are never answered are found; accidents and our own limits are not."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.judging import judge
from conformance.engine.runner import Options, run
from conformance.judgement import BudgetSpent
from conformance.locale import in_chinese
from conformance.model import Attempt, Exchange, Finding, Request, Target, Tier, Verdict
from conformance.protocol.trace import RecordedExchange, Trace
from conformance.record.events import FindingMade
from conformance.testing import FakeEndpoint
from conformance.testing.fake_endpoint import MODEL
from conformance.transport.coalesce import RequestCoalescer

CONTRACT = load_contract("openai")
WHOLE = "errors.good-input-whole-response"
SHARE = "errors.unanswered-share"
SINCE = "errors.served-stays-served"
CHECKS = {check.id: check for check in all_checks() if check.id in {WHOLE, SHARE, SINCE}}

HANG = "timeout: no response from http://h/v1 within 60 s"
CUT = "incomplete response from http://h/v1: closed"
LOST = "connection to http://h/v1 lost: reset"
PLAIN: dict[str, Any] = {"prompt": "1, 2,", "max_tokens": 4, "temperature": 0}
LAST: dict[str, Any] = {**PLAIN, "prompt": "9"}
ORDINARY: list[dict[str, Any]] = [
    PLAIN,
    {**PLAIN, "n": 2},
    {**PLAIN, "logprobs": 2},
    {**PLAIN, "echo": True},
    {**PLAIN, "stop": "7"},
    {**PLAIN, "echo": True, "logprobs": 2},
    {**PLAIN, "echo": True, "n": 2},
    {**PLAIN, "seed": 5},
    {**PLAIN, "prompt": ["1", "2"]},
    {**PLAIN, "stream": True},
    {**PLAIN, "top_p": 0.5},
]

When = Callable[[dict[str, Any], int], bool]


class Failing:
    """A fake endpoint whose answers to some requests do not arrive.

    ``when`` gets the body and the number of the request. ``seconds`` is what each attempt takes.
    """

    def __init__(self, when: When, fault: str = CUT, *, seconds: float = 0.1) -> None:
        self._when, self._fault, self._seconds = when, fault, seconds
        self._inner = FakeEndpoint(CONTRACT)
        self._number = 0
        self.now = 0.0
        self.bodies: list[dict[str, Any]] = []

    async def send(self, request: Request) -> Exchange:
        self._number += 1
        body = json.loads(request.body)
        self.bodies.append(body)
        exchange = replace(await self._inner.send(request), id=f"x{self._number:04d}")
        self.now += 0.1
        if exchange.status == 200 and self._when(body, self._number):
            return self.failed(exchange)
        return replace(exchange, attempts=(Attempt(self.now, 0.1, exchange.status, None),))

    def failed(self, exchange: Exchange) -> Exchange:
        status = None if self._fault in {HANG, LOST} else 200
        tried = Attempt(self.now, self._seconds, status, self._fault)
        return replace(
            exchange, status=status, body=b"", arrivals=(), fault=self._fault, attempts=(tried,)
        )


class Erring(Failing):
    """The same, with an error in a stream, a status, or a rejection."""

    def __init__(self, when: When, status: int, body: bytes) -> None:
        super().__init__(when)
        self._status, self._body = status, body

    def failed(self, exchange: Exchange) -> Exchange:
        tried = Attempt(self.now, 0.1, self._status, None)
        return replace(exchange, status=self._status, body=self._body, attempts=(tried,))


def judged(
    endpoint: Failing, bodies: list[dict[str, Any]] | None = None, check: str = WHOLE
) -> Finding:
    """Send requests, then look at what became of them."""

    async def found() -> Finding:
        transport = RequestCoalescer(endpoint.send)
        api = Api(transport, CONTRACT, MODEL)
        for body in ORDINARY if bodies is None else bodies:
            await api.complete(**body)
        trace = Trace(tuple(RecordedExchange(exchange, CONTRACT) for exchange in api.exchanges))
        return await judge(CHECKS[check], Api(transport, CONTRACT, MODEL, trace=trace))

    return asyncio.run(found())


def is_batch(body: dict[str, Any], _: int = 0) -> bool:
    return isinstance(body["prompt"], list)


def has(*names: str) -> When:
    return lambda body, _: all(body.get(name) not in (None, False) for name in names)


def now_and_then(share: float, seed: int) -> When:
    chance = random.Random(seed)
    return lambda *_: chance.random() < share


@pytest.mark.parametrize("fault", [HANG, CUT, LOST])
@pytest.mark.parametrize("name", ["stream", "seed"])
def test_request_that_is_never_answered_fails(name: str, fault: str) -> None:
    found = judged(Failing(has(name), fault))
    assert found.verdict is Verdict.FAIL
    assert f"none each time: `{name}` (" in (found.seen or "")


def test_finding_is_told_in_chinese() -> None:
    found = judged(Failing(is_batch))
    assert (in_chinese(found.message) or "").startswith("预期：完整的响应，或拒绝请求的 4xx；实际")
    assert "多个 prompt 的请求（响应中断；" in (in_chinese(found.seen or "") or "")


def test_last_exchange_shown_is_a_failing_one() -> None:
    endpoint = Failing(is_batch)
    found = judged(endpoint)
    assert is_batch(endpoint.bodies[int(found.exchanges[-1][1:]) - 1])


def test_bug_of_two_settings_is_shrunk() -> None:
    many = {**PLAIN, "n": 2, "logprobs": 2, "echo": True, "stop": "7", "seed": 5, "top_p": 0.5}
    found = judged(Failing(has("n", "logprobs")), [*ORDINARY, many])
    assert (found.seen or "").startswith("none each time: `logprobs` + `n` (")


def test_value_that_is_never_answered_is_named() -> None:
    bodies = [{**PLAIN, "seed": seed} for seed in range(6)]
    found = judged(Failing(lambda body, _: body.get("seed") == 3), [*ORDINARY, *bodies])
    assert "`seed: 3`" in (found.seen or "")


def test_two_causes_are_told_apart() -> None:
    found = judged(Failing(lambda body, _: is_batch(body) or bool(body.get("stream"))))
    assert "`stream` (" in (found.seen or "")
    assert "several prompts (" in (found.seen or "")


def test_error_in_each_stream_fails() -> None:
    body = b'data: {"error": {"message": "?"}}\n\n'
    found = judged(Erring(has("stream"), 200, body))
    assert "`stream` (an error event in the stream; " in (found.seen or "")


@pytest.mark.parametrize("status", [408, 502, 503, 504])
def test_gateway_error_each_time_fails(status: int) -> None:
    found = judged(Erring(is_batch, status, b'{"error": {"message": "?"}}'))
    assert f"several prompts (status {status}; " in (found.seen or "")


def test_moment_since_when_is_told() -> None:
    bodies = [*ORDINARY, *({**PLAIN, "prompt": f"{i}", "echo": True} for i in range(4)), LAST]
    found = judged(Failing(lambda body, number: bool(body.get("echo")) and number > 9), bodies)
    assert "; served until x0007)" in (found.seen or "")
    assert found.needs_run


@pytest.mark.parametrize("number", range(1, 1 + len(ORDINARY)))
def test_single_failure_is_no_finding(number: int) -> None:
    endpoint = Failing(lambda _, at: at == number, CUT)
    assert judged(endpoint).verdict is Verdict.PASS
    assert judged(Failing(lambda _, at: at == number), check=SHARE).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "fault",
    [
        "DNS error: cannot resolve the host name of http://h/v1: unknown",
        "connection refused: no server is listening at http://h/v1",
        "proxy error: the proxy http://p:3128 refuses the connection: 403",
        "TLS error: handshake with http://h/v1 failed: eof",
        "response too large: http://h/v1 sent more than 3 MiB; the rest was not read",
        "cannot connect to http://h/v1: no route",
    ],
)
def test_fault_of_the_network_is_no_finding(fault: str) -> None:
    endpoint = Failing(is_batch, fault)
    assert judged(endpoint).verdict is Verdict.PASS
    assert len(endpoint.bodies) == len(ORDINARY)


def test_rate_limit_is_no_finding() -> None:
    body = b'{"error": {"message": "Too many requests"}}'
    assert judged(Erring(is_batch, 429, body)).verdict is Verdict.PASS


def test_slow_answer_is_no_finding() -> None:
    # Answers take 0.1 s, and twenty times the work was given twice as long.
    slow = "timeout: no response from http://h/v1 within 0.2 s"
    long = {**PLAIN, "max_tokens": 320}
    endpoint = Failing(lambda body, _: body["max_tokens"] > 100, slow, seconds=0.2)
    assert judged(endpoint, [*ORDINARY, long]).verdict is Verdict.PASS


def test_silent_endpoint_is_inconclusive() -> None:
    found = judged(Failing(lambda _, at: at > len(ORDINARY) // 2))
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "body",
    [
        {**PLAIN, "temperature": 3},
        {**PLAIN, "no_such_parameter": 1},
        {**PLAIN, "model": "another"},
    ],
    ids=json.dumps,
)
def test_invalid_request_is_left_to_other_checks(body: dict[str, Any]) -> None:
    endpoint = Failing(lambda sent, _: sent.items() >= body.items())
    assert judged(endpoint, [*ORDINARY, body]).verdict is Verdict.PASS


def test_nothing_is_sent_without_suspicion() -> None:
    endpoint = Failing(lambda *_: False)
    assert judged(endpoint).verdict is Verdict.PASS
    assert len(endpoint.bodies) == len(ORDINARY)


def test_slow_request_is_not_sent_again_often() -> None:
    bodies = [*ORDINARY, *({**PLAIN, "prompt": f"{i}", "stream": True} for i in range(3)), LAST]
    endpoint = Failing(has("stream"), HANG, seconds=60)
    assert judged(endpoint, bodies).verdict is Verdict.FAIL
    assert sum(body.get("stream") is True for body in endpoint.bodies[len(bodies) :]) <= 2


def test_spent_budget_leaves_the_question_open() -> None:
    class Spent(Failing):
        async def send(self, request: Request) -> Exchange:
            if len(self.bodies) == len(ORDINARY):
                raise BudgetSpent("0 requests were allowed")
            return await super().send(request)

    assert judged(Spent(is_batch)).verdict is Verdict.SKIPPED


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_random_failures_are_a_share_and_no_cause(share: float) -> None:
    bodies = [{**body, "user": f"u{i}"} for i in range(5) for body in ORDINARY]
    for seed in range(3):
        verdict = judged(Failing(now_and_then(share, seed)), bodies).verdict
        assert verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}
        found = judged(Failing(now_and_then(share, seed)), bodies, SHARE)
        assert found.verdict is Verdict.WARN
        assert "of 55 valid requests of different kinds" in (found.seen or "")


def test_one_outage_is_no_share() -> None:
    assert judged(Failing(lambda _, at: 4 <= at <= 7), check=SHARE).verdict is Verdict.PASS


def test_request_that_is_rejected_since_is_found() -> None:
    bodies = [*ORDINARY, *({**PLAIN, "prompt": f"{i}", "echo": True} for i in range(4)), LAST]
    rejection = b'{"error": {"message": "echo is not supported"}}'
    endpoint = Erring(lambda body, at: bool(body.get("echo")) and at > 9, 400, rejection)
    found = judged(endpoint, bodies, SINCE)
    assert found.verdict is Verdict.WARN
    assert (
        found.seen
        == "served at first (x0007), rejected since x0012 with 400: echo is not supported"
    )


def test_request_that_is_always_rejected_is_not_late() -> None:
    bodies = [*ORDINARY, *({**PLAIN, "prompt": f"{i}", "echo": True} for i in range(4)), LAST]
    endpoint = Erring(has("echo"), 400, b'{"error": {"message": "no"}}')
    assert judged(endpoint, bodies, SINCE).verdict is Verdict.PASS
    assert len(endpoint.bodies) == len(bodies)


def test_circuit_breaker_is_no_finding() -> None:
    async def verdicts() -> dict[str, Verdict]:
        class Dead(Failing):
            async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
                del fresh
                return await super().send(request)

        target = Target("http://h/v1", MODEL, "openai", "sk-12345678")
        endpoint = Dead(lambda _, at: at > 3, LOST)
        found: dict[str, Verdict] = {}
        async with aclosing(run(target, CONTRACT, Options(Tier.SMOKE), transport=endpoint)) as on:
            async for event in on:
                if isinstance(event, FindingMade):
                    found[event.finding.id] = event.finding.verdict
        return found

    found = asyncio.run(verdicts())
    assert found[WHOLE] is Verdict.INCONCLUSIVE
    assert found[SHARE] in {Verdict.PASS, Verdict.SKIPPED}
