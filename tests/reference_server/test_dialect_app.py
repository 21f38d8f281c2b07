"""Dialects over HTTP with a scripted model: differences in the responses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from reference_server.completions.dialects import DIALECTS
from reference_server.completions.service import CompletionService
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http.app import Settings, create_app
from tests.reference_server.scripted import ScriptedBackend

CONTEXT = 64
BODY = {"model": "m", "prompt": "you"}


def ask(tokenizer: Tokenizer, dialect: str, body: dict[str, Any]) -> httpx.Response:
    """Post a body to a new application."""

    async def post() -> httpx.Response:
        spoken = DIALECTS[dialect]
        backend = ScriptedBackend(tokenizer.encode("abSTOP世界 and"), tokenizer.size, CONTEXT)
        model = LoadedModel(backend, tokenizer, "fp_test")
        service = CompletionService(model, rows=4, queue=10)
        transport = httpx.ASGITransport(create_app(service, Settings("key", ["m"], spoken)))
        service.start()
        try:
            async with httpx.AsyncClient(
                transport=transport,
                base_url="http://server/v1",
                headers={"Authorization": "Bearer key"},
            ) as client:
                return await client.post("/completions", json=body)
        finally:
            service.stop()

    return asyncio.run(post())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_fingerprint_is_in_all_chunks_or_none(tiny: Tokenizer, dialect: str) -> None:
    shown = DIALECTS[dialect].fingerprint
    non_streaming = ask(tiny, dialect, BODY | {"max_tokens": 2}).json()
    stream = ask(tiny, dialect, BODY | {"max_tokens": 2, "stream": True}).text
    chunks = [json.loads(event[6:]) for event in stream.split("\n\n")[:-2]]
    assert chunks
    for part in (non_streaming, *chunks):
        assert part.get("system_fingerprint") == ("fp_test" if shown else None)
        assert ("system_fingerprint" in part) == shown


def test_unlimited_generation_fills_the_context(tiny: Tokenizer) -> None:
    response = ask(tiny, "zhizengzeng", BODY).json()
    assert response["choices"][0]["finish_reason"] == "length"
    assert response["usage"]["total_tokens"] == CONTEXT


def test_each_batched_prompt_has_a_separate_context(tiny: Tokenizer) -> None:
    response = ask(tiny, "zhizengzeng", {"model": "m", "prompt": ["you", "you and you"]}).json()
    assert response["usage"]["total_tokens"] == 2 * CONTEXT


@pytest.mark.parametrize(("tokens", "status"), [(CONTEXT - 1, 200), (CONTEXT, 400)])
def test_unlimited_request_needs_room_for_one_token(
    tiny: Tokenizer, tokens: int, status: int
) -> None:
    response = ask(tiny, "zhizengzeng", {"model": "m", "prompt": [5] * tokens})
    assert response.status_code == status
    if status == 400:
        assert f"{CONTEXT + 1} tokens ({CONTEXT} in your prompt" in response.text


def test_max_tokens_may_be_lowered_to_the_context(tiny: Tokenizer) -> None:
    body = {"model": "m", "prompt": [5, 5], "max_tokens": CONTEXT, "ignore_eos": True}
    response = ask(tiny, "fireworks", body).json()
    assert response["usage"]["completion_tokens"] == CONTEXT - 2
    refused = ask(tiny, "fireworks", {**body, "context_length_exceeded_behavior": "error"})
    assert refused.status_code == 422
    assert "maximum context length" in refused.json()["detail"][0]["msg"]


def test_conversation_gets_a_completion(tiny: Tokenizer) -> None:
    messages = [{"role": "user", "content": "you and you"}]
    request = {"model": "m", "messages": messages, "max_tokens": 5}
    response = ask(tiny, "gpt-ge", request).json()
    assert response["object"] == "text_completion"
    assert response["choices"][0]["text"] == "abSTOP世界 and"
    transcript = tiny.encode("user: you and you\nassistant:")
    assert response["usage"]["prompt_tokens"] == len(transcript)


def test_messages_are_rejected_in_other_dialects(tiny: Tokenizer) -> None:
    response = ask(tiny, "reference", BODY | {"messages": []})
    assert response.status_code == 400
    assert "Unrecognized request argument supplied: messages" in response.text


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_usage_may_be_on_the_last_choice(tiny: Tokenizer, options: dict[str, Any]) -> None:
    body = BODY | {"max_tokens": 2, "stream": True} | options
    stream = ask(tiny, "deepseek-fim", body).text
    *before, last = [json.loads(event[6:]) for event in stream.split("\n\n")[:-2]]
    assert last["choices"][0]["finish_reason"] == "length"
    assert last["usage"]["completion_tokens"] == 2
    assert all(chunk.get("usage") is None and chunk["choices"] for chunk in before)
