"""The in-memory endpoint behind a socket of this machine, with a fixed delay before each response.

    with delaying_endpoint(contract, seconds=0.3) as base_url:
        ...

A stream begins after half of the delay and comes event by event. Every response takes the same time
however many requests are in flight, so that what a run takes longer than ``requests * delay /
concurrency`` is the run's own doing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from conformance.contract import Contract
from conformance.model import Credentials, Exchange, Request
from conformance.testing import FakeEndpoint

KEY = "sk-delaying-endpoint-0123456789"
MODEL = "fake-model"


@contextmanager
def delaying_endpoint(contract: Contract, seconds: float) -> Iterator[str]:
    """Serve a contract on a free port, in a thread; the value is the base URL."""
    loop = asyncio.new_event_loop()
    endpoint = _DelayingEndpoint(FakeEndpoint(contract, MODEL), seconds)
    server = loop.run_until_complete(asyncio.start_server(endpoint.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class _DelayingEndpoint:
    """Just enough HTTP/1.1 for a client that keeps its connections open."""

    def __init__(self, endpoint: FakeEndpoint, seconds: float) -> None:
        self._endpoint = endpoint
        self._seconds = seconds

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests of one connection until the client closes it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                request = await read_request(reader)
                started = asyncio.get_running_loop().time()
                exchange = await self._endpoint.send(request)
                parts = parts_of(exchange)
                for number, part in enumerate(parts, start=1):
                    due = started + self._seconds * (1 + number / len(parts)) / 2
                    await asyncio.sleep(due - asyncio.get_running_loop().time())
                    writer.write(part)
                    await writer.drain()
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request; its path is without a leading ``/v1``."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    key = headers.get("authorization", "").removeprefix("Bearer ")
    presented = {KEY: Credentials.OWN, "": Credentials.NONE}.get(key, Credentials.WRONG)
    return Request(method, target.removeprefix("/v1"), body, credentials=presented)


def parts_of(exchange: Exchange) -> list[bytes]:
    """Cut a response into what is written at a time: the events of a stream, or the whole of it."""
    headers = [*exchange.headers, ("content-length", str(len(exchange.body)))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    parts, start = [], 0
    for arrival in exchange.arrivals:
        parts.append(exchange.body[start : start + arrival.size])
        start += arrival.size
    parts[0] = f"HTTP/1.1 {exchange.status} -\r\n{lines}\r\n".encode() + parts[0]
    return parts
