"""After a signal running requests finish, new ones are rejected, cut ones say so."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from reference_server.completions.service import CompletionService
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http import lifecycle
from reference_server.http.app import Settings, create_app
from reference_server.http.connection import Connection
from tests.reference_server.api import MODEL
from tests.reference_server.gated_backend import GatedBackend
from tests.reference_server.raw_http import BODY, SECONDS, connect, request, respond
from tests.servers import RunningServer, running_server

ENDLESS = {"model": MODEL, "prompt": "a", "max_tokens": 2000, "logit_bias": {"0": -100}}
"""With ``n`` 128 it takes far longer than any grace."""


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A server to be ended."""
    with running_server() as running:
        yield running


def exchange(server: RunningServer, body: bytes) -> socket.socket:
    """A connection whose request the server has begun to read, and now has all of."""
    connection = connect(server)
    head = request(server, b"Expect: 100-continue", body=body).removesuffix(body)
    connection.sendall(head)
    assert respond(connection).status == 100
    connection.sendall(body)
    return connection


def events(lines: Iterator[str]) -> list[str]:
    return [line.removeprefix("data: ") for line in lines if line]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_running_requests_are_finished(server: RunningServer, number: signal.Signals) -> None:
    """A running stream and a non-streaming response end regularly, and so does the server."""
    body: dict[str, Any] = {**ENDLESS, "max_tokens": 40, "seed": 1}
    with (
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=SECONDS) as client,
        client.stream("POST", "/completions", json={**body, "stream": True}) as stream,
    ):
        lines = stream.iter_lines()
        first = next(lines)
        with exchange(server, json.dumps(body).encode()) as connection:
            server.process.send_signal(number)
            *chunks, last = events(iter([first, *lines]))
            assert last == "[DONE]"
            streamed = "".join(json.loads(chunk)["choices"][0]["text"] for chunk in chunks)
            non_streaming = respond(connection)
            assert json.loads(non_streaming.body)["choices"][0]["text"] == streamed
            assert connection.recv(1) == b"", "the connection is not kept for another request"
    assert server.process.wait(SECONDS) == 0
    assert server.process.stdout is not None
    assert server.process.stdout.read() == "", "the address is all that stdout is for"


def test_new_requests_are_rejected_during_shutdown(server: RunningServer) -> None:
    body = {**ENDLESS, "n": 128, "stream": True}
    with (
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=SECONDS) as client,
        connect(server) as idle,
        client.stream("POST", "/completions", json=body) as stream,
    ):
        lines = stream.iter_lines()
        next(lines)
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b"", "who asked for nothing yet is hung up on"
        with pytest.raises(ConnectionRefusedError):
            connect(server)
        assert next(line for line in lines if line).startswith("data: {")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        # An unread stream does not keep the server running.
        assert server.process.wait(SECONDS) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, None])
def test_cut_response_says_so(server: RunningServer, second: signal.Signals | None) -> None:
    """By a second signal or the end of the grace period: a stream, a response and half a body."""
    non_streaming = {**ENDLESS, "n": 128}
    with (
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=SECONDS) as client,
        connect(server) as idle,
        client.stream("POST", "/completions", json={**non_streaming, "stream": True}) as stream,
        exchange(server, json.dumps(non_streaming).encode()) as waiting,
        connect(server) as halfway,
    ):
        lines = stream.iter_lines()
        next(lines)
        halfway.sendall(request(server, b"Expect: 100-continue").removesuffix(BODY))
        assert respond(halfway).status == 100
        halfway.sendall(BODY[:-1])
        server.process.send_signal(signal.SIGTERM)
        if second:
            assert idle.recv(1) == b"", "the first signal has been taken note of"
            server.process.send_signal(second)
        *chunks, last = events(lines)
        assert json.loads(last)["error"]["type"] == "server_error"
        assert "[DONE]" not in chunks
        for connection in (waiting, halfway):
            refused = respond(connection)
            assert refused.status == 503
            assert "shutting down" in refused.error()["message"]
    assert server.process.wait(SECONDS) == 0
    assert "Traceback" not in "".join(server.log)


def test_second_signal_skips_the_grace_period(
    tiny: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a grace of hours, and a model that never comes to its end."""
    monkeypatch.setattr(lifecycle, "GRACE_SECONDS", 10_000)
    backend = GatedBackend(tiny)
    service = CompletionService(LoadedModel(backend, tiny, "fp_test"), rows=1, queue=10)
    app = create_app(service, Settings("key", ["m"]))
    config = uvicorn.Config(app, http=Connection, ws="none", lifespan="on", log_config=None)
    ending = lifecycle._Server(config, "/v1")
    body = b'{"model":"m","prompt":"you"}'
    head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=ending.run, args=([listener],), daemon=True)
        thread.start()
        with (
            socket.create_connection(listener.getsockname(), timeout=SECONDS) as idle,
            socket.create_connection(listener.getsockname(), timeout=SECONDS) as waiting,
        ):
            waiting.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            backend.wait_until_about_to()
            ending._on_signal(signal.SIGTERM, None)
            assert idle.recv(1) == b"", "the first signal has been taken note of"
            ending._on_signal(signal.SIGTERM, None)
            assert respond(waiting).status == 503
        backend.release(1000)
        thread.join(SECONDS)
        assert not thread.is_alive()
