"""Requests that arrive too slowly time out."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from reference_server.completions.errors import ApiError
from reference_server.completions.service import CompletionService
from reference_server.engine.engine import LoadedModel
from reference_server.engine.tokenizer import Tokenizer
from reference_server.http import bodies, connection
from reference_server.http.app import Settings, create_app
from reference_server.http.bodies import Bodies
from reference_server.http.connection import Connection
from tests.reference_server.raw_http import SECONDS, respond
from tests.reference_server.scripted import ScriptedBackend

HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\n"
BODY = b'{"model":"m","prompt":"you","max_tokens":1}'
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def impatient(tiny: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The address of a server that waits half a second where others wait long."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connection, "REST_SECONDS", 0.5)
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    backend = ScriptedBackend(tiny.encode("abSTOP"), tiny.size)
    service = CompletionService(LoadedModel(backend, tiny, "fp_test"), rows=4, queue=10)
    app = create_app(service, Settings("key", ["m"]))
    server = uvicorn.Server(uvicorn.Config(app, http=Connection, ws="none", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("beginning", [b"", b"P", HEAD])
def test_missing_headers_time_out(impatient: tuple[str, int], beginning: bytes) -> None:
    with socket.create_connection(impatient, timeout=SECONDS) as client:
        client.sendall(beginning)
        assert client.recv(1) == b"", "hung up on, without an answer to what was not asked"


def test_next_request_on_a_connection_times_out(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=SECONDS) as client:
        client.sendall(REQUEST)
        assert respond(client).status == 200
        client.sendall(HEAD)
        assert client.recv(1) == b""


@pytest.mark.parametrize("sent", [b"", BODY[:10]])
def test_missing_body_is_a_408(impatient: tuple[str, int], sent: bytes) -> None:
    with socket.create_connection(impatient, timeout=SECONDS) as client:
        client.sendall(REQUEST.removesuffix(BODY) + sent)
        response = respond(client)
        assert response.status == 408
        assert "did not arrive in time" in response.error()["message"]
        assert client.recv(1) == b""


def test_rest_of_a_refused_body_has_a_limit(impatient: tuple[str, int]) -> None:
    head = HEAD.replace(b"Bearer key", b"Bearer wrong") + b"Content-Length: 100\r\n\r\n"
    with socket.create_connection(impatient, timeout=SECONDS) as client:
        client.sendall(head + b"{")
        assert respond(client).status == 401
        assert client.recv(1) == b""


class Stuck(asyncio.Transport):
    """A transport whose other end reads nothing."""

    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def test_client_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_SECONDS", 0.01)
    transport = Stuck()

    async def story() -> None:
        flow = connection._Flow(transport, lambda: None)
        flow.pause_writing()
        await flow.drain()

    asyncio.run(story())
    assert transport.is_aborted


class Sender:
    """A request whose body comes in parts, each when it is wanted."""

    def __init__(self, *parts: bytes) -> None:
        self.headers: dict[str, str] = {}
        self._parts = parts

    async def stream(self) -> object:
        for part in self._parts:
            yield part


def test_concurrent_bodies_have_a_memory_limit() -> None:
    async def story() -> None:
        held = Bodies(most=100)
        async with held.read(Sender(b"a" * 60)) as first:
            assert len(first) == 60
            with pytest.raises(ApiError) as refused:
                async with held.read(Sender(b"b" * 20, b"b" * 30)):
                    pass
            assert refused.value.status == 429
            assert int(refused.value.headers["Retry-After"]) > 0
            async with held.read(Sender(b"c" * 40)) as second:
                assert second == b"c" * 40
        async with held.read(Sender(b"d" * 300)) as alone:  # otherwise it could never be sent
            assert json.dumps(alone.decode()).count("d") == 300

    asyncio.run(story())
