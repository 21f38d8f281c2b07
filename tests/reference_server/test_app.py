"""The HTTP application over a scripted model, also when the model fails."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from reference_server.completions.service import CompletionService
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http.app import HEALTH, Settings, create_app
from tests.reference_server.api import envelope
from tests.reference_server.scripted import ScriptedBackend

BODY = {"model": "m", "prompt": "you", "max_tokens": 8}


def ask(
    tokenizer: Tokenizer, backend: ScriptedBackend, *bodies: dict[str, Any]
) -> list[httpx.Response]:
    """Post bodies one after the other to a new application."""
    return send(tokenizer, backend, *(("POST", "/v1/completions", body) for body in bodies))


def ask_health_around(
    tokenizer: Tokenizer, backend: ScriptedBackend, body: dict[str, Any]
) -> list[httpx.Response]:
    """Ask for health, post a body, ask for health again."""
    health = ("GET", "/healthz", None)
    return send(tokenizer, backend, health, ("POST", "/v1/completions", body), health)


def send(
    tokenizer: Tokenizer,
    backend: ScriptedBackend,
    *requests: tuple[str, str, dict[str, Any] | None],
) -> list[httpx.Response]:
    """Send requests (method, path, body) one after the other to a new application."""

    async def post() -> list[httpx.Response]:
        service = CompletionService(LoadedModel(backend, tokenizer, "fp_test"), rows=4, queue=10)
        transport = httpx.ASGITransport(create_app(service, Settings("key", ["m"])))
        service.start()
        try:
            async with httpx.AsyncClient(
                transport=transport,
                base_url="http://server",
                headers={"Authorization": "Bearer key"},
            ) as client:
                return [await client.request(m, path, json=body) for m, path, body in requests]
        finally:
            service.stop()

    return asyncio.run(post())


def scripted(tokenizer: Tokenizer) -> ScriptedBackend:
    return ScriptedBackend(tokenizer.encode("abSTOP世界 and"), tokenizer.size)


def test_scripted_text_is_returned(tiny: Tokenizer) -> None:
    (response,) = ask(tiny, scripted(tiny), BODY | {"max_tokens": 5})
    result = response.json()
    assert result["choices"] == [
        {"text": "abSTOP世界 and", "index": 0, "logprobs": None, "finish_reason": "length"}
    ]
    assert result["system_fingerprint"] == "fp_test"
    assert result["usage"] == {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}


class FailsLater(ScriptedBackend):
    """Breaks after a few steps, once a stream is under way."""

    def _row(self, place: int) -> Any:
        if place >= 2:
            raise RuntimeError("a secret of the server's inside")
        return super()._row(place)


def test_model_error_is_a_500_without_details(tiny: Tokenizer) -> None:
    backend = scripted(tiny)
    backend.fault = RuntimeError("a secret of the server's inside")
    for response in ask(tiny, backend, BODY, BODY | {"n": 3}):
        assert envelope(response, 500)["type"] == "server_error"
        assert "secret" not in response.text


class CannotClose(FailsLater):
    """Fails once more where the first failure is cleaned up."""

    def close(self, handle: int) -> None:
        raise RuntimeError(f"a secret of the server's inside, about {handle}")


def test_requests_fail_at_once_after_an_engine_failure(tiny: Tokenizer) -> None:
    backend = CannotClose(tiny.encode("abSTOP世界 and"), tiny.size)
    for response in ask(tiny, backend, BODY, BODY, BODY | {"stream": True}):
        assert envelope(response, 500)["type"] == "server_error"
        assert "secret" not in response.text


def test_health_reports_an_engine_failure(tiny: Tokenizer) -> None:
    backend = CannotClose(tiny.encode("abSTOP世界 and"), tiny.size)
    before, _, after = ask_health_around(tiny, backend, BODY)
    assert (before.status_code, after.status_code) == (200, 503)


@pytest.mark.parametrize("path", HEALTH)
def test_health_has_two_paths(tiny: Tokenizer, path: str) -> None:
    (response,) = send(tiny, scripted(tiny), ("GET", path, None))
    assert response.json() == {"status": "ok"}


def test_failing_stream_ends_with_an_error(tiny: Tokenizer) -> None:
    backend = FailsLater(tiny.encode("abSTOP世界 and"), tiny.size)
    (response,) = ask(tiny, backend, BODY | {"stream": True})
    events = [json.loads(e.removeprefix("data: ")) for e in response.text.split("\n\n") if e]
    assert [event["choices"][0]["text"] for event in events[:-1]] == ["ab", "STOP"]
    assert set(events[-1]) == {"error"}
    assert "secret" not in response.text


def test_oversized_request_is_served_when_idle(tiny: Tokenizer) -> None:
    (alone,) = ask(tiny, scripted(tiny), BODY | {"n": 50})
    assert len(alone.json()["choices"]) == 50


def test_suffix_is_rejected_without_infilling_tokens(tiny: Tokenizer) -> None:
    without = Tokenizer.__new__(Tokenizer)
    without.__dict__.update(tiny.__dict__ | {"fill_in_the_middle": None})
    (response,) = ask(without, scripted(tiny), BODY | {"suffix": "end"})
    assert envelope(response, 400)["param"] == "suffix"


def test_unicode_line_ends_are_escaped_in_streams(tiny: Tokenizer) -> None:
    text = "a\u2028b\u0085c"
    backend = ScriptedBackend(tiny.encode(text), tiny.size)
    size = len(tiny.encode(text))
    (response,) = ask(tiny, backend, BODY | {"stream": True, "max_tokens": size})
    lines = [line for line in response.text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    parts = [json.loads(line[6:])["choices"][0]["text"] for line in lines[:-1]]
    assert "".join(parts) == text
