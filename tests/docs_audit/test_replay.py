"""Replaying examples: requests, cost and results."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from conformance.docs_audit import replay as replaying
from conformance.docs_audit.clients import ClientRequest, ClientResponse, NotInstalledError
from conformance.docs_audit.page import Client, Example, Page, Parameter
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.docs_audit.replay import STAND_IN, Price, price, replay, request_of, sendable
from conformance.docs_audit.results import Endpoint, Outcome, Replayed

KEY = "sk-Zk3hT9wQ1vB7nM5xL2cD8f"
ENDPOINT = Endpoint("http://127.0.0.1:1/v1", api_key=KEY)

NON_STREAMING = Example("plain", Client.CURL, {"model": "m", "prompt": "Once", "max_tokens": 5})
VARIABLE = Example(
    "variable",
    Client.OPENAI_PYTHON,
    {"model": "m", "prompt": ["Sum up: ${long_text} ${end}", "${end}"], "stop": "END"},
)
PART = Example("part", Client.FRAGMENT, {"stop": ["END"]})
PAGE = Page(
    document="tiny",
    title="A tiny page",
    endpoint="http://127.0.0.1/v1/completions",
    parameters=(Parameter("max_tokens", default=16, has_default=True),),
    examples=(NON_STREAMING, VARIABLE, PART),
)
RESPONSE = {
    "object": "text_completion",
    "choices": [{"index": 0, "text": " a", "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


@dataclass
class FakeEndpoint:
    """A client with one response that records its requests."""

    response: ClientResponse = field(default_factory=lambda: ClientResponse(200, response=RESPONSE))
    missing: Exception | None = None
    label: str = "fake"
    asks: list[ClientRequest] = field(default_factory=list)
    inspected: int = 0

    def version(self) -> str:
        self.inspected += 1
        if self.missing:
            raise self.missing
        return "1.2"

    def send(self, request: ClientRequest) -> ClientResponse:
        self.asks.append(request)
        return self.response


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    fake = FakeEndpoint()
    found = replaying.program_for

    def instead(client: Client, node_modules: Path | None = None) -> Any:
        return fake if found(client, node_modules) else None

    monkeypatch.setattr(replaying, "program_for", instead)
    return fake


def replayed(*examples: Example, endpoint: Endpoint = ENDPOINT) -> list[Replayed]:
    return list(replay(PAGE, examples, endpoint))


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────


def test_example_is_sent_unchanged() -> None:
    assert request_of(NON_STREAMING) == NON_STREAMING.request
    assert request_of(NON_STREAMING, "other") == {**NON_STREAMING.request, "model": "other"}


def test_unset_variable_is_filled_with_stand_in_text() -> None:
    request = request_of(VARIABLE)
    assert request["prompt"] == [f"Sum up: {STAND_IN} {STAND_IN}", STAND_IN]
    assert request["stop"] == "END"


@pytest.mark.parametrize("name", PAGES)
def test_every_complete_request_of_a_page_is_sent(name: str) -> None:
    page = load_page(name)
    left_out = [e for e in page.examples if e not in sendable(page)]
    assert [e.client for e in left_out] == [Client.FRAGMENT] * (name == "aocheng")
    assert all("prompt" in example.request for example in sendable(page))


def test_price_is_known_before_sending() -> None:
    # Bytes of the prompt, one token before it, and max_tokens or the page's default.
    assert price(PAGE, [NON_STREAMING]) == Price(1, len("Once") + 1 + 5, 0)
    choices_per_prompt = replace(NON_STREAMING, request={"prompt": ["a", "b"], "n": 3})
    assert price(PAGE, [NON_STREAMING, choices_per_prompt]) == Price(
        2, 10 + 2 * (1 + 1) + 2 * 3 * 16, 0
    )


def test_request_without_a_limit_is_distinguished() -> None:
    page = replace(PAGE, parameters=(Parameter("max_tokens", default="inf", has_default=True),))
    endless = replace(NON_STREAMING, request={"prompt": "Once"})
    assert price(page, [NON_STREAMING, endless]) == Price(2, 10 + 5, 1)
    assert price(replace(PAGE, parameters=()), [endless]) == Price(1, 5, 1)


def test_pages_send_as_many_requests_as_they_show() -> None:
    counted = [price(load_page(name), sendable(load_page(name))) for name in PAGES]
    assert {name: p.requests for name, p in zip(PAGES, counted, strict=True)} == {
        "zero": 3,
        "gpt-ge": 3,
        "aocheng": 10,
        "zhizengzeng": 6,
        "eronmind": 1,
    }
    assert [p.unlimited for p in counted] == [0, 0, 0, 1, 0]


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


def test_conforming_response_is_met(program: FakeEndpoint) -> None:
    (one,) = replayed(NON_STREAMING, endpoint=replace(ENDPOINT, model="other"))
    assert (one.document, one.example, one.client) == ("tiny", "plain", "fake 1.2")
    assert one.outcome is Outcome.MET
    assert {"answered", "choices", "usage", "max_tokens"} <= set(one.met)
    assert one.unmet == ()
    (ask,) = program.asks
    assert ask == ClientRequest(
        ENDPOINT.base_url, {**NON_STREAMING.request, "model": "other"}, KEY, 60.0
    )


def test_unmet_expectation_shows_expected_and_seen(program: FakeEndpoint) -> None:
    program.response = ClientResponse(200, response={**RESPONSE, "object": "chat.completion"})
    (one,) = replayed(NON_STREAMING)
    assert one.outcome is Outcome.NOT_MET
    assert [(u.expectation, u.expected, u.seen) for u in one.unmet] == [
        ("object", 'object = "text_completion"', 'object = "chat.completion"')
    ]


def test_filled_in_variables_are_named(program: FakeEndpoint) -> None:
    first, second = replayed(NON_STREAMING, VARIABLE)
    assert first.stand_ins == ()
    assert second.stand_ins == ("long_text", "end")
    assert program.asks[1].request["prompt"][1] == STAND_IN


def test_missing_client_leaves_examples_not_run(program: FakeEndpoint) -> None:
    program.missing = NotInstalledError("there is no curl: install it")
    (one,) = replayed(NON_STREAMING)
    assert one == Replayed(
        "tiny", "plain", "fake", Outcome.NOT_RUN, reason="there is no curl: install it"
    )
    assert program.asks == []


def test_failing_client_start_leaves_examples_not_run(program: FakeEndpoint) -> None:
    program.missing = PermissionError(13, "Permission denied")
    (one,) = replayed(NON_STREAMING)
    assert one.outcome is Outcome.NOT_RUN
    assert one.reason == "the client cannot be started: [Errno 13] Permission denied"


def test_fragment_of_a_body_is_not_run(program: FakeEndpoint) -> None:
    (one,) = replayed(PART)
    assert (one.outcome, one.reason) == (
        Outcome.NOT_RUN,
        "it is only part of a request body",
    )
    assert program.asks == []


def test_client_is_located_once(program: FakeEndpoint) -> None:
    replayed(NON_STREAMING, replace(NON_STREAMING, name="again"))
    assert program.inspected == 1
    assert len(program.asks) == 2
