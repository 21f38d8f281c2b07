"""The snippets of a report for the openai package, run unchanged against the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from conformance.model import Request
from conformance.report.snippet import snippet
from tests.servers import RunningServer

VARIABLE = "SNIPPET_TEST_KEY"
MODEL = "gpt-3.5-turbo-instruct"
GREEDY: dict[str, Any] = {"model": MODEL, "prompt": "1, 2, 3,", "max_tokens": 4, "temperature": 0}


def said(
    request_body: dict[str, Any], server: RunningServer, read_events: int | None = None
) -> str:
    """The output of a snippet in a separate process with the key in its environment."""
    body = json.dumps(request_body).encode()
    request = Request("POST", "/completions", body, read_events=read_events)
    lines = snippet(request, server.base_url, VARIABLE)
    assert lines is not None
    ended = subprocess.run(
        [sys.executable, "-c", lines],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, VARIABLE: server.key, "PYTHONIOENCODING": "utf-8"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_non_streaming_response_is_printed(server: RunningServer) -> None:
    response = json.loads(said({**GREEDY, "echo": True, "logprobs": 1}, server))
    assert response["choices"][0]["text"].startswith("1, 2, 3,")
    assert response["usage"]["completion_tokens"] == 4


def test_stream_is_printed_chunk_by_chunk(server: RunningServer) -> None:
    request = {**GREEDY, "stream": True}
    chunks = [json.loads(line) for line in said(request, server).splitlines()]
    non_streaming = json.loads(said(GREEDY, server))
    text = "".join(chunk["choices"][0]["text"] for chunk in chunks)
    assert text == non_streaming["choices"][0]["text"]
    assert len(said({**request, "max_tokens": 400}, server, read_events=2).splitlines()) == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**GREEDY, "frequency": 1}, "frequency"),
        ({**GREEDY, "n": 0}, "n"),
        ({"prompt": "1"}, "model"),
        ({**GREEDY, "stream": "yes"}, "stream"),
    ],
)
def test_refusal_is_printed_with_its_status(
    body: dict[str, Any], named: str, server: RunningServer
) -> None:
    printed = said(body, server)
    assert printed.startswith("400 ")
    assert json.loads(printed.removeprefix("400 "))["error"]["message"]
    assert named in printed
