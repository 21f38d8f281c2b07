"""Nonconforming endpoints as real clients see them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.docs_audit.clients.response import OUTPUT_LIMIT
from conformance.docs_audit.page import Client, Example, Page
from conformance.docs_audit.page_reader import load_page
from conformance.docs_audit.replay import replay
from conformance.docs_audit.results import Endpoint, Outcome, Replayed
from tests.clients.scripted_endpoint import (
    EVENTS,
    JSON,
    KEY,
    Heard,
    Responder,
    ScriptedResponse,
    endpoint_that,
    response_to,
)
from tests.npm import installed

NODE_MODULES = Path(__file__).parent


def chunks_to(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A right answer in two chunks."""
    whole = response_to(request)
    del whole["usage"]
    (choice,) = whole["choices"]
    first = {**choice, "text": "春", "finish_reason": None}
    return [{**whole, "choices": [part]} for part in (first, choice)]


def non_streaming(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Responder:
    def answering(request: Mapping[str, Any]) -> ScriptedResponse:
        response = response_to(request)
        change(response)
        return 200, JSON, json.dumps(response).encode()

    return answering


def streamed(
    change: Callable[[list[dict[str, Any]]], object] = lambda _: None, *, end: str = "data: [DONE]"
) -> Responder:
    def answering(request: Mapping[str, Any]) -> ScriptedResponse:
        chunks = chunks_to(request)
        change(chunks)
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return 200, EVENTS, "".join([*lines, end, "\n\n"]).encode()

    return answering


def sent(page: Page, name: str, endpoint: Endpoint, seconds: float = 300.0) -> Replayed:
    (one,) = replay(
        page,
        [page.example(name)],
        endpoint,
        node_modules=installed(NODE_MODULES),
        seconds=seconds,
    )
    return one


ZERO, AOCHENG, ZHIZENGZENG = map(load_page, ("zero", "aocheng", "zhizengzeng"))
BATCH = "openai-python, a batch of prompts"
CURL_STREAM, PYTHON_STREAM, NODE_STREAM = (
    f"{client}, streamed" for client in ("curl", "openai-python", "openai-node")
)


@pytest.mark.parametrize(
    ("page", "name", "answering"),
    [
        pytest.param(ZERO, "curl", non_streaming(), id="curl"),
        pytest.param(ZERO, BATCH, non_streaming(), id="openai-python, a batch"),
        pytest.param(AOCHENG, "openai-node", non_streaming(), id="openai-node"),
        pytest.param(ZHIZENGZENG, CURL_STREAM, streamed(), id=CURL_STREAM),
        pytest.param(ZHIZENGZENG, PYTHON_STREAM, streamed(), id=PYTHON_STREAM),
        pytest.param(ZHIZENGZENG, NODE_STREAM, streamed(), id=NODE_STREAM),
    ],
)
def test_conforming_response_is_met(page: Page, name: str, answering: Responder) -> None:
    with endpoint_that(answering) as endpoint:
        one = sent(page, name, endpoint)
    assert (one.unmet, one.outcome) == ((), Outcome.MET)


def _drop(key: str) -> Callable[[Any], object]:
    """Leave a field out of every choice, of an answer or of its chunks."""

    def drop(responses: Any) -> None:
        for response in responses if isinstance(responses, list) else [responses]:
            for choice in response["choices"]:
                del choice[key]

    return drop


FAULTS: dict[str, tuple[Page, str, Responder, str]] = {
    "curl, no index": (ZERO, "curl", non_streaming(_drop("index")), "choices"),
    "openai-python, no index in a batch": (ZERO, BATCH, non_streaming(_drop("index")), "choices"),
    "openai-python, half a batch": (
        ZERO,
        BATCH,
        non_streaming(lambda a: a["choices"].pop()),
        "choices",
    ),
    "openai-node, no text": (AOCHENG, "openai-node", non_streaming(_drop("text")), "text"),
    "openai-node, a foreign bill": (
        AOCHENG,
        "openai-node",
        non_streaming(lambda a: a["usage"].update(total_tokens=1)),
        "usage",
    ),
    "curl, no [DONE]": (ZHIZENGZENG, CURL_STREAM, streamed(end=": bye"), "[DONE]"),
    "curl, no ending": (
        ZHIZENGZENG,
        CURL_STREAM,
        streamed(_drop("finish_reason")),
        "finish_reason",
    ),
    "openai-python, no ending": (
        ZHIZENGZENG,
        PYTHON_STREAM,
        streamed(_drop("finish_reason")),
        "finish_reason",
    ),
    "openai-node, no ending": (
        ZHIZENGZENG,
        NODE_STREAM,
        streamed(_drop("finish_reason")),
        "finish_reason",
    ),
    "openai-python, a chunk without choices": (
        ZHIZENGZENG,
        PYTHON_STREAM,
        streamed(lambda chunks: chunks.append({**chunks[0], "choices": []})),
        "reads",
    ),
    "openai-node, an error in the stream": (
        ZHIZENGZENG,
        NODE_STREAM,
        streamed(lambda chunks: chunks.append({"error": {"message": "gone"}})),
        "answered",
    ),
    "openai-python, a web page": (ZERO, BATCH, lambda _: (200, "text/html", b"<p>"), "object"),
    "openai-node, a web page": (
        AOCHENG,
        "openai-node",
        lambda _: (200, "text/html", b"<p>"),
        "object",
    ),
    "curl, a stream that is plain": (ZHIZENGZENG, CURL_STREAM, non_streaming(), "media type"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nonconforming_response_is_not_met(name: str) -> None:
    page, example, answering, expectation = FAULTS[name]
    with endpoint_that(answering) as endpoint:
        one = sent(page, example, endpoint)
    assert one.outcome is Outcome.NOT_MET
    assert expectation in [unmet.expectation for unmet in one.unmet]


CLIENTS = [client for client in Client if client is not Client.FRAGMENT]
BODY = {"model": "m", "prompt": '春 "quoted" \\n \\ \u2028 \n 😀', "max_tokens": 7, "stop": ["\t§"]}


def sent_by(client: Client, endpoint: Endpoint, seconds: float = 300.0) -> Replayed:
    """Send one and the same example with a client."""
    (one,) = replay(
        ZERO,
        [Example("one", client, BODY)],
        endpoint,
        node_modules=installed(NODE_MODULES),
        seconds=seconds,
    )
    return one


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_sends_the_example_as_it_is(client: Client) -> None:
    heard: list[Heard] = []
    with endpoint_that(non_streaming(), heard) as endpoint:
        one = sent_by(client, endpoint)
    assert one.outcome is Outcome.MET
    (request,) = heard
    assert request.path == "/v1/completions"
    assert request.body == BODY
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"].startswith(JSON)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reports_an_error_without_the_key(
    client: Client,
) -> None:
    error = {"error": {"message": f"no upstream takes the key {KEY}", "type": "x", "param": None}}
    response = 503, JSON, json.dumps(error).encode()
    heard: list[Heard] = []
    with endpoint_that(lambda _: response, heard) as endpoint:
        one = sent_by(client, endpoint)
    (unmet,) = one.unmet
    assert unmet.expectation == "answered"
    assert "503" in unmet.seen
    assert "no upstream takes the key $API_KEY" in unmet.seen
    assert KEY not in repr(one)
    assert len(heard) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_unreachable_endpoint_is_reported_as_not_met(client: Client) -> None:
    with endpoint_that(non_streaming()) as endpoint:
        pass  # the port is closed after the block
    one = sent_by(client, endpoint)
    assert [unmet.expectation for unmet in one.unmet] == ["answered"]


SOME = [Client.CURL, Client.OPENAI_PYTHON, Client.OPENAI_NODE]


@pytest.mark.parametrize("client", SOME)
def test_huge_response_is_cut(client: Client) -> None:
    text = json.dumps({"choices": [{"text": "x" * OUTPUT_LIMIT}]}).encode()
    with endpoint_that(lambda _: (200, JSON, text)) as endpoint:
        one = sent_by(client, endpoint)
    (unmet,) = one.unmet
    assert unmet.seen.endswith(f"more than {OUTPUT_LIMIT:,} bytes of output")


@pytest.mark.parametrize("client", SOME)
def test_silent_endpoint_times_out(client: Client) -> None:
    released = threading.Event()

    def answering(request: Mapping[str, Any]) -> ScriptedResponse:
        released.wait(60)
        return non_streaming()(request)

    with endpoint_that(answering) as endpoint:
        one = sent_by(client, endpoint, seconds=1)
        released.set()
    assert [unmet.seen for unmet in one.unmet] == ["timeout after 1 s"]
