"""Behaviours in front of the real application: over ASGI, and as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from starlette.types import ASGIApp

from reference_server.behaviour import builders
from reference_server.behaviour.messages import EVENT_STREAM, Behaviour, Part, ServerResponse
from reference_server.behaviour.relay import Relay, paced
from reference_server.completions.dialects import REFERENCE
from reference_server.completions.service import CompletionService
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http.app import Settings, create_app
from reference_server.http.bodies import MAX_BODY_BYTES
from tests.reference_server.behaviour.client import BODY, KEY, Request, ask, showcase
from tests.reference_server.scripted import ScriptedBackend
from tests.servers import running_server


def behind(behaviour: Behaviour) -> Callable[[CompletionService], ASGIApp]:
    return lambda service: Relay(create_app(service, Settings(KEY, ["m"])), behaviour, KEY)


def test_changed_response_has_its_new_length(tiny: Tokenizer) -> None:
    longer = builders.fields(note="x" * 100)
    (response,) = ask(tiny, behind(longer), ("/v1/completions", BODY))
    assert response.json()["note"] == "x" * 100
    assert int(response.headers["content-length"]) == len(response.content)


def test_other_paths_are_unchanged(tiny: Tokenizer) -> None:
    (response,) = ask(tiny, behind(builders.status(200, 404)), ("/v1/nothing", BODY))
    assert response.status_code == 404


def test_dialect_is_also_at_its_own_path(tiny: Tokenizer) -> None:
    beta = replace(REFERENCE, base_path="/beta")

    def application(service: CompletionService) -> ASGIApp:
        app = create_app(service, Settings(KEY, ["m"], beta))
        return Relay(app, builders.fields(note="x"), KEY, beta.base_path)

    paths = ("/v1/completions", "/beta/completions")
    responses = ask(tiny, application, *((path, BODY) for path in paths))
    assert [response.json().get("note") for response in responses] == ["x", "x"]


def test_stream_keeps_its_events(tiny: Tokenizer) -> None:
    loud = builders.texts(lambda request, index, text: text.upper())  # noqa: ARG005
    (response,) = ask(tiny, behind(loud), ("/v1/completions", {**BODY, "stream": True}))
    assert response.headers["content-type"].startswith("text/event-stream")
    assert '"text":"ABSTOP世"' in response.text
    assert response.text.endswith("data: [DONE]\n\n")


def test_body_over_the_limit_is_rejected(tiny: Tokenizer) -> None:
    too_long = b" " * (MAX_BODY_BYTES + 1)
    (response,) = ask(tiny, behind(builders.sets()), ("/v1/completions", too_long))
    assert response.status_code == 413


def test_fault_is_started_by_its_name() -> None:
    with running_server("--fault", "total-mismatch") as server:
        body = {"model": "davinci-002", "prompt": "1", "max_tokens": 1}
        usage = httpx.post(
            f"{server.base_url}/completions", json=body, headers=server.headers
        ).json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + 3


def test_pauses_are_kept_and_cuts_end_the_connection(tiny: Tokenizer) -> None:
    cut = builders.streams(
        lambda _, got: replace(got, parts=(Part(b"data: x\n\n", pause=0.001),), cut=True)
    )
    with pytest.raises(AssertionError):  # httpx's own way to say that an answer has no end
        ask(tiny, behind(cut), ("/v1/completions", {**BODY, "stream": True}))


def test_every_showcase_path_is_a_separate_server(tiny: Tokenizer) -> None:
    def path(*parts: str) -> str:
        return f"/{'/'.join(parts)}/v1/completions"

    third = path("reference", "total-mismatch@every-third", "one")
    fresh = path("reference", "total-mismatch@every-third", "two")
    request: list[Request] = [(where, BODY) for where in (third, third, fresh, third, fresh)]
    totals = [
        response.json()["usage"]["total_tokens"] for response in ask(tiny, showcase, *request)
    ]
    assert totals == [4, 4, 4, 7, 4]
    other, unknown, nowhere = ask(
        tiny,
        showcase,
        (path("zero", "none", "one"), {**BODY, "seed": 1}),
        (path("reference", "no-such", "one"), BODY),
        ("/v1/completions", BODY),
    )
    assert "seed" in other.json()["error"]["message"]
    assert "no-such" in unknown.json()["error"]["message"]
    assert nowhere.status_code == 404


def test_deterministic_responses_are_computed_once(tiny: Tokenizer) -> None:
    backend = ScriptedBackend(tiny.encode("abSTOP世界 and"), tiny.size)
    path = "/reference/none/{}/v1/completions"
    request: list[Request] = [(path.format(i), {**BODY, "stream": i % 2 == 0}) for i in range(6)]
    responses = ask(tiny, showcase, *request, backend=backend)
    assert backend.prefills == 2
    assert len({response.json()["id"] for response in responses[1::2]}) == 3
    assert len({response.json()["choices"][0]["text"] for response in responses[1::2]}) == 1
    assert responses[0].text.count("data: ") == responses[4].text.count("data: ")


def test_sampled_responses_are_computed_each_time(tiny: Tokenizer) -> None:
    backend = ScriptedBackend(tiny.encode("abSTOP世界 and"), tiny.size)
    path = "/reference/none/one/v1/completions"
    warm, seeded = {**BODY, "temperature": 1}, {**BODY, "temperature": 1, "seed": 3}
    ask(tiny, showcase, (path, warm), (path, warm), (path, seeded), (path, seeded), backend=backend)
    assert backend.prefills == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fault", "no-such"], "unknown fault or variant 'no-such'"),
        (["--fault", "total-mismatch@x"], "unknown trigger @x"),
        (["--showcase", "--variant", "timings"], "name them in the path"),
    ],
)
def test_wrong_name_is_one_sentence_and_code_4(arguments: list[str], sentence: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reference_server", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (4, "")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_collected_stream_is_sent_at_its_original_pace() -> None:
    headers = (("content-type", EVENT_STREAM),)
    stream = ServerResponse(200, headers, tuple(Part(b"data: 1\n\n") for _ in range(4)))
    assert [part.pause for part in paced(stream, 2.0).parts] == [0.5] * 4
    assert paced(stream, 0.001) == stream
    slow = replace(stream, parts=(Part(b"data: 1\n\n", pause=1.0), *stream.parts))
    assert paced(slow, 2.0) == slow
    assert paced(replace(stream, parts=()), 2.0).parts == ()
    non_streaming = replace(stream, headers=(("content-type", "application/json"),))
    assert paced(non_streaming, 2.0) == non_streaming
