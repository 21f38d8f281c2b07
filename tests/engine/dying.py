"""Endpoints in memory whose account, route or gatekeeper refuses every request from one on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import Credentials, Exchange, Finding, Footer, Request, Target
from conformance.record.events import ExchangeMade, FindingMade, RunEvent, RunFinished
from conformance.testing import FakeEndpoint

OPENAI = load_contract("openai")
MODEL = "fake-model"
TARGET = Target("http://fake/v1", MODEL, "openai", "sk-a-key-that-must-not-show")
FIRST_REQUEST_SECONDS = 0.0001


@dataclass(frozen=True)
class Refusal:
    """What an endpoint answers to every request; by default as JSON."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)

    def of(self, request: Request, number: int) -> Exchange:
        return Exchange(
            f"x{number:04d}", request, (), self.status, self.headers, self.body, (), 0.0
        )


def error(message: str, code: str | None = None) -> bytes:
    named = {"message": message, "type": "error", "param": None, "code": code}
    return json.dumps({"error": named}, ensure_ascii=False).encode()


HTML = (("content-type", "text/html; charset=utf-8"),)
KINDS = {
    "key revoked": Refusal(401, error("key revoked", "invalid_api_key")),
    "balance empty": Refusal(402, error("Insufficient Balance")),
    "quota of a relay": Refusal(
        403, error("用户额度不足, 剩余额度: ＄0", "insufficient_user_quota")
    ),
    "token exhausted": Refusal(401, error("该令牌额度已用尽")),
    "access denied": Refusal(403, error("Forbidden")),
    "quota as 429": Refusal(429, error("You exceeded your current quota", "insufficient_quota")),
    "arrearage": Refusal(400, error("make sure your account is in good standing", "Arrearage")),
    "quota as 500": Refusal(500, error("账户余额不足，请充值")),
    "error as 200": Refusal(200, error("令牌已过期", "invalid_api_key")),
    "captcha": Refusal(403, b"<!DOCTYPE html><title>Just a moment...</title>", HTML),
    "captcha as 200": Refusal(200, b"<html><title>Login</title>", HTML),
    "captcha as 503": Refusal(503, b"<html><title>Just a moment...</title>", HTML),
    "route gone": Refusal(404, b"404 page not found", (("content-type", "text/plain"),)),
    "route gone to nginx": Refusal(404, b"<html><title>404 Not Found</title></html>", HTML),
    "method gone": Refusal(405, b'{"detail":"Method Not Allowed"}'),
    "gone": Refusal(410, b""),
    "model gone": Refusal(404, error(f"The model `{MODEL}` does not exist", "model_not_found")),
    "login": Refusal(302, b"", (("location", "https://h/login"),)),
}


@dataclass
class Dying:
    """A fake endpoint that answers with a refusal from request ``after`` + 1 on.

    Attributes:
        sent: all requests, in order.
        refused: the number of requests with the run's own key that were refused.
    """

    refusal: Refusal
    after: int
    is_over: Callable[[int], bool] = lambda _: False
    sent: list[Request] = field(default_factory=list)
    refused: int = 0
    inner: FakeEndpoint = field(default_factory=lambda: FakeEndpoint(OPENAI, MODEL))

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        del fresh
        self.sent.append(request)
        number = len(self.sent)
        # Requests overlap, as on a network.
        await asyncio.sleep(FIRST_REQUEST_SECONDS)
        is_own = request.credentials is Credentials.OWN
        if is_own and number > self.after and not self.is_over(number):
            self.refused += 1
            return self.refusal.of(request, number)
        return replace(await self.inner.send(request), id=f"x{number:04d}")


@dataclass(frozen=True)
class Result:
    findings: dict[str, Finding]
    exchanges: dict[str, Exchange]
    footer: Footer
    events: list[RunEvent]


def result_of(endpoint: object, options: Options = Options(), **more: object) -> Result:  # noqa: B008 - frozen
    async def collect() -> list[RunEvent]:
        return [
            event
            async for event in run(TARGET, OPENAI, options, transport=endpoint, **more)  # type: ignore[arg-type] # any endpoint of a test
        ]

    events = asyncio.run(collect())
    (footer,) = [event.footer for event in events if isinstance(event, RunFinished)]
    found = {e.finding.id: e.finding for e in events if isinstance(e, FindingMade)}
    made = {e.exchange.id: e.exchange for e in events if isinstance(e, ExchangeMade)}
    return Result(found, made, footer, events)
