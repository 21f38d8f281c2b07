"""Targets that cannot be judged, each with a sentence that names the fix."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from conformance.api import Api
from conformance.contract import load_contract
from conformance.engine.preflight import preflight
from conformance.judgement import BudgetSpent
from conformance.model import Exchange, Request, Target
from conformance.testing import FakeEndpoint

OPENAI = load_contract("openai")
JSON = "application/json"
PAGE = b"\n<!DOCTYPE html><title>Welcome</title>"


class Scripted:
    """Answers each path with what a test wrote down for it."""

    def __init__(self, **responses: tuple[int | None, bytes, str] | Exception) -> None:
        self._responses = responses

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        assert not fresh
        response = self._responses[request.path.strip("/")]
        if isinstance(response, Exception):
            raise response
        status, body, kind = response
        headers = (("content-type", kind), ("location", "https://elsewhere/v1/completions"))
        fault = "connection refused: nothing listens there" if status is None else None
        return Exchange("x1", request, (), status, headers, body, (), 0.0, fault)


def error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "x"}}).encode()


def why_not(
    transport: Any, base_url: str = "http://h/v1", key: str | None = "sk-12345678"
) -> str | None:
    target = Target(base_url, "my-model", "openai", key)
    return asyncio.run(preflight(Api(transport, OPENAI, target.model), target))


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
        (400, error("temperature is required")),
        (422, b"{}"),
    ],
)
def test_endpoint_with_bad_responses_is_judged(status: int, body: bytes) -> None:
    assert why_not(answering(status, body)) is None


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
