"""A loopback server whose behaviour the test defines byte by byte."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Loopback:
    """The server's base URL and the requests it has read, with headers and body."""

    base_url: str
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serving(
    *behaviours: Behaviour, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Loopback]:
    """Serve each request with the next behaviour; the last one is repeated."""
    loopback = Loopback("")
    left = list(behaviours)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            loopback.requests.append(await read_request(reader))
            behave = left.pop(0) if len(left) > 1 else left[0]
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client left, as some tests want it to
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    loopback.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
    try:
        yield loopback
    finally:
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


def raw(data: bytes) -> Behaviour:
    """Send these bytes and close."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return behave


def respond(
    body: bytes | dict[str, Any], status: str = "200 OK", *headers: str, kind: str = ""
) -> Behaviour:
    """Send a whole answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind or 'application/json'}",
        f"Content-Length: {len(content)}",
        "Connection: close",
        *headers,
    ]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""
    writer.close()


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing until the client leaves."""
    await reader.read()


def then_hang(data: bytes) -> Behaviour:
    """Send the beginning of an answer, and no more until the client leaves."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await reader.read()

    return behave


def endless(event: bytes, pause: float = 0.0) -> Behaviour:
    """Stream one event for ever."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        while True:
            writer.write(event)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
