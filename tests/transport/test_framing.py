"""A server that sends more, or less, than it declares has a finding for that response alone."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import pytest

from conformance.model import Exchange, Request, Target
from conformance.transport.client import Client
from tests.hostile import HostileServer, hostile_server
from tests.hostile.framing import BODY, SECOND
from tests.transport.loopback import serving

REQUEST = Request("POST", "/completions", b"{}")


def exchanged(name: str, times: int = 3) -> tuple[list[Exchange], int]:
    """Exchanges with a behaviour, one after the other, and how many requests it got."""

    async def story(server: HostileServer) -> list[Exchange]:
        target = Target(server.base_url(name), "m", "openai")
        async with Client(target, timeout=5, silence=2, may_retry=lambda: False) as client:
            return [await client.send(REQUEST) for _ in range(times)]

    with hostile_server() as server:
        return asyncio.run(story(server)), server.calls[name]


@pytest.mark.parametrize("name", ["glued", "glued-to-chunks"])
def test_second_response_is_no_answer_to_another_request(name: str) -> None:
    exchanges, calls = exchanged(name)
    assert calls == 3
    for exchange in exchanges:
        assert (exchange.status, exchange.body, exchange.fault) == (200, BODY, None)
        assert exchange.surplus == SECOND


def test_later_bytes_end_the_connection() -> None:
    async def story(server: HostileServer) -> list[Exchange]:
        async with Client(Target(server.base_url("glued-later"), "m", "openai")) as client:
            first = await client.send(REQUEST)
            await asyncio.sleep(0.2)
            return [first, await client.send(REQUEST)]

    with hostile_server() as server:
        exchanges = asyncio.run(story(server))
    assert [(e.status, e.body, e.fault) for e in exchanges] == [(200, BODY, None)] * 2


def test_bytes_that_are_no_response_are_kept_apart() -> None:
    for exchange in exchanged("garbage-behind")[0]:
        assert (exchange.status, exchange.body, exchange.fault) == (200, BODY, None)
        assert exchange.surplus == b"\0garbage\n"


def test_rest_of_a_longer_body_is_surplus() -> None:
    for exchange in exchanged("length-too-short")[0]:
        assert exchange.body + exchange.surplus == BODY


@pytest.mark.parametrize("name", ["blank-line-behind", "interim-twice", "http-1.0-kept"])
def test_unusual_but_valid_framing_is_accepted(name: str) -> None:
    for exchange in exchanged(name)[0]:
        assert (exchange.status, exchange.fault, exchange.surplus) == (200, None, b"")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("length-too-long", "incomplete response"),
        ("no-last-chunk", "incomplete response"),
        ("chunk-too-long", "invalid HTTP response"),
        ("two-lengths", "invalid HTTP response"),
        ("interim-flood", "more than 32 interim responses"),
        ("http-0.9", "invalid HTTP response"),
    ],
)
def test_invalid_framing_is_a_fault_of_its_exchange(name: str, sentence: str) -> None:
    for exchange in exchanged(name, 2)[0]:
        assert sentence in (exchange.fault or "")
        assert exchange.surplus == b""


def test_redacted_surplus_shows_no_key() -> None:
    key = "sk-a-secret-key-behind-the-response"

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 401 " + key.encode())

    async def story() -> Exchange:
        async with serving(behave) as server:
            target = Target(server.base_url, "m", "openai", api_key=key)
            async with Client(target, may_retry=lambda: False) as client:
                return await client.send(REQUEST)

    exchange = asyncio.run(story())
    assert exchange.surplus.startswith(b"HTTP/1.1 401 ")
    assert key.encode() not in exchange.surplus


def test_server_that_speaks_first_is_named() -> None:
    """It is rather another service, and what it says is no answer to the request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.sendall(b"220 mail.example ESMTP\r\n")
                kept.append(connection)

        kept: list[socket.socket] = []
        thread = threading.Thread(target=greet, daemon=True)
        thread.start()

        async def story() -> Exchange:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            async with Client(Target(url, "m", "openai"), may_retry=lambda: False) as client:
                return await client.send(REQUEST)

        fault = asyncio.run(story()).fault or ""
        for connection in kept:
            connection.close()
    assert "invalid HTTP response" in fault


def test_connections_are_kept_until_one_is_glued() -> None:
    """A conforming server is asked over one connection, a gluing one over a new one each time."""

    async def story(glued: bool) -> int:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                for number in range(6):
                    await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(2)
                    response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                    writer.write(response + SECOND * (glued and number == 1))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with Client(Target(url, "m", "openai")) as client:
            for _ in range(6):
                assert (await client.send(REQUEST)).body == b"{}"
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)
        return connections

    assert asyncio.run(story(False)) == 1
    assert asyncio.run(story(True)) == 1 + 4
