"""Targets that cannot be judged, each with a sentence that names the fix."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import Contract, load_contract
from conformance.engine.preflight import preflight
from conformance.judgement import BudgetSpent
from conformance.locale import in_chinese
from conformance.model import Exchange, Request, Target
from conformance.testing import FakeEndpoint
from conformance.transport.client import Client
from conformance.transport.coalesce import RequestCoalescer
from tests.hostile import HostileServer, hostile_server

OPENAI = load_contract("openai")
JSON = "application/json"
PAGE = b"\n<!DOCTYPE html><title>Welcome</title>"


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


class Scripted:
    """Answers each path with what a test wrote down for it."""

    def __init__(
        self, *, fault: str | None = None, **responses: tuple[int | None, bytes, str] | Exception
    ) -> None:
        self._fault = fault
        self._responses = responses

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        assert not fresh
        response = self._responses[request.path.strip("/")]
        if isinstance(response, Exception):
            raise response
        status, body, kind = response
        headers = (("content-type", kind), ("location", "https://elsewhere/v1/completions"))
        refused = "connection refused: nothing listens there" if status is None else None
        fault = self._fault or refused
        return Exchange("x1", request, (), status, headers, body, (), 0.0, fault)


def error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "x"}}).encode()


def why_not(
    transport: Any,
    base_url: str = "http://h/v1",
    key: str | None = "sk-12345678",
    contract: Contract = OPENAI,
) -> str | None:
    target = Target(base_url, "my-model", contract.name, key)
    return asyncio.run(preflight(Api(transport, contract, target.model), target))


def answering(status: int | None, body: bytes = b"{}", kind: str = JSON) -> Scripted:
    return Scripted(completions=(status, body, kind), models=(500, b"", kind))


def test_responding_endpoint_is_judged() -> None:
    assert why_not(FakeEndpoint(OPENAI, "my-model")) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"choices": []}'),
        (200, b"not JSON at all"),
        (200, b""),
    ],
)
def test_endpoint_with_bad_responses_is_judged(status: int, body: bytes) -> None:
    assert why_not(answering(status, body)) is None


@pytest.mark.parametrize("name", ["brotli-unasked", "gzip-of-lies", "gzip-once", "eight-megabytes"])
def test_unreadable_response_ends_the_preflight(server: HostileServer, name: str) -> None:
    target = Target(server.base_url(name), "m", "openai")

    async def first() -> str | None:
        async with Client(target) as client:
            return await preflight(Api(RequestCoalescer(client.send), OPENAI, "m"), target)

    sentence = asyncio.run(first())
    assert sentence is not None
    where = f"{target.base_url}/completions"
    assert sentence.startswith(f"the response to the minimal request from {where} cannot be read: ")
    said = in_chinese(sentence)
    assert said is not None
    assert "无法读取" in said
    assert "cannot" not in said
    assert "more than" not in said


def test_dropped_response_is_left_to_the_checks() -> None:
    fault = "incomplete response from http://h/v1: peer closed connection"
    assert why_not(Scripted(completions=(200, b"{", JSON), fault=fault)) is None


class Rejecting:
    """Rejects requests of one kind, and answers all others as the fake endpoint does."""

    def __init__(self, rejects: Callable[[dict[str, Any]], bool], message: str = "no") -> None:
        self._rejects, self._message = rejects, message
        self._inner = FakeEndpoint(OPENAI, "my-model")
        self.bodies: list[dict[str, Any]] = []

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        body = json.loads(request.body)
        self.bodies.append(body)
        response = await self._inner.send(request, fresh=fresh)
        if not self._rejects(body):
            return response
        raw = error(self._message.format(number=len(self.bodies), fields=sorted(body)))
        return replace(response, status=400, body=raw, headers=(("content-type", JSON),))


@pytest.mark.parametrize("status", [400, 409, 422])
def test_endpoint_that_rejects_every_request_is_not_judged(status: int) -> None:
    sentence = why_not(answering(status, error("Invalid parameter value")))
    assert sentence == (
        f"the endpoint rejects the minimal request ({status}: Invalid parameter value), also in"
        " other forms: check the model 'my-model', and that prompt and max_tokens are known there"
    )
    assert (in_chinese(sentence) or "").startswith("接口拒绝最小的请求")


def test_numbers_in_a_rejection_make_no_difference() -> None:
    endpoint = Rejecting(lambda _: True, "bad request no. {number}")
    assert "rejects the minimal request" in (why_not(endpoint) or "")


def test_rejecting_endpoint_gets_three_bounded_requests() -> None:
    endpoint = Rejecting(lambda _: True)
    why_not(endpoint)
    assert len(endpoint.bodies) == 3
    assert all(0 < body["max_tokens"] <= 16 for body in endpoint.bodies)


@pytest.mark.parametrize(
    "rejects",
    [
        lambda body: "temperature" in body,
        lambda body: body["max_tokens"] < 16,
        lambda body: not body.get("stream"),
    ],
    ids=["no temperature", "at least sixteen tokens", "only streams"],
)
def test_endpoint_that_serves_another_form_is_judged(
    rejects: Callable[[dict[str, Any]], bool],
) -> None:
    assert why_not(Rejecting(rejects)) is None


def test_rejections_that_tell_requests_apart_are_judged() -> None:
    assert why_not(Rejecting(lambda _: True, "not these: {fields}")) is None


def test_served_minimal_request_is_sent_once() -> None:
    endpoint = Rejecting(lambda _: False)
    assert why_not(endpoint) is None
    assert len(endpoint.bodies) == 1


def test_spent_budget_is_left_to_the_checks() -> None:
    assert why_not(Scripted(completions=BudgetSpent("0 requests were allowed"))) is None


def test_connection_refused_ends_the_preflight() -> None:
    assert why_not(answering(None)) == "connection refused: nothing listens there"


@pytest.mark.parametrize("status", [200, 404, 500])
def test_html_page_suggests_a_missing_v1(status: int) -> None:
    assert why_not(answering(status, PAGE, "text/html"), "http://h") == (
        f"http://h/completions returned an HTML page (status {status}) instead of JSON:"
        " the base URL may be missing /v1"
    )


def test_path_of_a_living_contract_is_named() -> None:
    vllm = load_contract("vllm")
    sentence = why_not(answering(404, b"404 page not found"), "http://h:8/api", contract=vllm)
    assert sentence is not None
    assert sentence.endswith(
        "vllm documents the path /v1/completions: use http://h:8/v1 as the base URL"
    )


def test_base_url_with_the_endpoint_path_is_named() -> None:
    sentence = why_not(answering(404, b"404 page not found"), "http://h/v1/completions/")
    assert sentence == (
        "no endpoint at http://h/v1/completions/completions (status 404):"
        " use the part before /completions as the base URL"
    )


def test_redirect_is_reported_with_its_target() -> None:
    assert why_not(answering(308)) == (
        "http://h/v1/completions redirects (308) to https://elsewhere/v1/completions:"
        " use the final URL as the base URL"
    )


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_key_is_reported(status: int) -> None:
    sentence = why_not(answering(status, error("Your account is not active")))
    assert sentence == f"the API key was rejected with {status}: Your account is not active"


def test_missing_key_is_reported() -> None:
    sentence = why_not(answering(401, error("no key")), key=None)
    assert sentence is not None
    assert "requires an API key (status 401)" in sentence
    assert "--api-key-env" in sentence


def test_unknown_model_is_reported_with_the_listed_ones() -> None:
    sentence = why_not(FakeEndpoint(OPENAI, "another-model"))
    assert sentence == (
        "the endpoint does not serve the model 'my-model' (404: The model `my-model` does not"
        " exist); available models: another-model"
    )


@pytest.mark.parametrize("models", [b"", b"[]", b'{"data": null}', b'{"data": [1, {"x": 2}]}'])
def test_unknown_model_is_reported_without_a_list(models: bytes) -> None:
    refused = (404, error("model my-model not found"), JSON)
    sentence = why_not(Scripted(completions=refused, models=(200, models, JSON)))
    assert sentence == (
        "the endpoint does not serve the model 'my-model' (404: model my-model not found)"
    )


def test_long_list_of_models_is_cut() -> None:
    listed = json.dumps({"data": [{"id": f"m{i}"} for i in range(40)]}).encode()
    refused = (404, error("no such model"), JSON)
    sentence = why_not(Scripted(completions=refused, models=(200, listed, JSON)))
    assert sentence is not None
    assert sentence.endswith(
        "available models: m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11 and 28 more"
    )


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (405, "does not accept POST (status 405)"),
        (429, "(429): come back later"),
        (500, "fails on a minimal request (status 500): come back later"),
        (503, "fails on a minimal request (status 503): come back later"),
    ],
)
def test_failing_endpoint_ends_the_preflight(status: int, part: str) -> None:
    sentence = why_not(answering(status, error("come\n back  later")))
    assert sentence is not None
    assert part in sentence
    assert "\n" not in sentence


QUOTA = "the balance or the quota is used up (status {}): {}"


@pytest.mark.parametrize(
    ("status", "said", "sentence"),
    [
        (402, "Insufficient Balance", "payment required or quota exceeded (402): {}"),
        (401, "该令牌额度已用尽", QUOTA.format(401, "{}")),
        (403, "用户额度不足, 剩余额度: 0", QUOTA.format(403, "{}")),
        (403, "Sorry, your account balance is insufficient", QUOTA.format(403, "{}")),
        (429, "You exceeded your current quota", QUOTA.format(429, "{}")),
        (429, "suspended due to insufficient balance", QUOTA.format(429, "{}")),
        (400, "make sure your account is in good standing", QUOTA.format(400, "{}")),
        (500, "账户已欠费", QUOTA.format(500, "{}")),
        (200, "余额不足，请充值", QUOTA.format(200, "{}")),
        (403, "Country, region, or territory not supported", "access was denied with 403: {}"),
        (403, "Forbidden", "access was denied with 403: {}"),
        (401, "无效的令牌", "the API key was rejected with 401: {}"),
        (400, "API key not valid", "the API key was rejected with 400: {}"),
        (429, "Rate limit reached", "rate limited at the first request to http://h/v1/completions"),
    ],
)
def test_refusal_is_told_by_its_words(status: int, said: str, sentence: str) -> None:
    found = why_not(answering(status, error(said)))
    assert found is not None
    assert found.startswith(sentence.format(said))
    assert in_chinese(found) is not None


@pytest.mark.parametrize("status", [401, 403])
def test_missing_key_is_named_for_each_status(status: int) -> None:
    assert "requires an API key" in (why_not(answering(status, error("no")), key=None) or "")


def test_empty_balance_is_named_without_a_key() -> None:
    assert why_not(answering(402, error("pay")), key=None) == (
        "payment required or quota exceeded (402): pay"
    )


@pytest.mark.parametrize("status", [200, 403, 429, 503])
@pytest.mark.parametrize(
    "title", ["Just a moment...", "Attention Required! | Cloudflare", "请完成人机验证"]
)
def test_captcha_is_named(status: int, title: str) -> None:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head></html>".encode()
    sentence = why_not(answering(status, page, "text/html"))
    assert sentence == (
        "a gatekeeper in front of http://h/v1/completions blocks the client or asks for a captcha"
        f" (status {status}): {title}"
    )
    assert in_chinese(sentence) is not None


def test_other_model_than_the_route_is_distinguished() -> None:
    assert "no endpoint at" in (why_not(answering(404, b'{"detail":"Not Found"}')) or "")
    assert "does not serve the model" in (why_not(answering(404, error("模型不存在"))) or "")


DEEP = b"[" * 100_000 + b"]" * 100_000
STRANGE = {
    "deep": DEEP,
    "deep and small": b"[" * 30_000 + b"]" * 30_000,
    "deep error": b'{"error": ' + DEEP + b"}",
    "many digits": b'{"error": {"message": ' + b"9" * 10_000 + b"}}",
    "lone surrogate": b'{"error": {"message": "\\ud800 gone"}}',
    "not UTF-8": b"\xff\xfe\x80",
    "control characters": b'{"error": {"message": "a\\u001b[31m\\u202e\\u0000b"}}',
    "empty": b"",
    "long": b'{"error": {"message": "' + b"x" * 5_000_000 + b'"}}',
    "blanks": b" " * 1_000_000,
    "number": b"7",
    "NaN": b"NaN",
    "error of a number": b'{"error": 7}',
    "error of a string": b'{"error": "gone"}',
}


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 405, 410, 429, 500, 503])
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE.keys())
def test_strange_body_is_one_short_sentence(status: int, body: bytes) -> None:
    sentence = why_not(answering(status, body))
    if sentence is not None:
        assert len(sentence) <= 320
        assert sentence.isprintable()
        assert sentence.encode()


@pytest.mark.parametrize(
    "models",
    [
        DEEP,
        b'{"data": ' + DEEP + b"}",
        b'{"data": [{"id": ' + b"9" * 4_000 + b"}]}",
        b'{"data": [{"id": "\\ud800"}]}',
        b'{"data": [{"id": "' + b"x" * 1_000_000 + b'"}]}',
        b'{"data": [' + b'{"id": "model-of-a-vendor"},' * 300_000 + b"{}]}",
        b'{"data": [{"id": "a\\u001b[31mb\\u202e\\n"}]}',
        b'{"data": [{"id": {"id": [1, 2]}}]}',
        b"\xff",
    ],
)
def test_strange_list_of_models_is_one_short_sentence(models: bytes) -> None:
    refused = (404, error("no such model: " + "y" * 1000), JSON)
    sentence = why_not(Scripted(completions=refused, models=(200, models, JSON)))
    assert sentence is not None
    assert sentence.startswith("the endpoint does not serve the model 'my-model' (404: no such")
    assert len(sentence) <= 420
    assert sentence.isprintable()
    assert sentence.encode()


def test_strange_names_of_the_target_are_cut() -> None:
    target = Target("http://h/" + "v" * 5000, "m\ud800" * 5000, "openai", "sk-12345678")
    for status in (302, 404, 405, 429, 500):
        api = Api(answering(status, error("no model")), OPENAI, "other")
        found = asyncio.run(preflight(api, target))
        assert found is not None
        assert len(found) <= 420
        assert found.encode()
