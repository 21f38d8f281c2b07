"""A server that closes idle connections early costs no retries."""

from __future__ import annotations

import asyncio

from conformance.model import Exchange, Request, Target
from conformance.transport.client import Client
from tests.transport.loopback import read_request

ASK = Request("POST", "/completions", b"{}")
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class ClosingServer:
    """Answers the first request of each connection, and closes at the next, or after a pause."""

    def __init__(self, pause: float | None) -> None:
        self._pause = pause
        self.answered: list[int] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answered.append(0)
        place = len(self.answered) - 1
        try:
            await read_request(reader)
            writer.write(ANSWER)
            await writer.drain()
            self.answered[place] += 1
            await asyncio.wait_for(reader.read(1), self._pause)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def sent_to(server: ClosingServer, count: int, pause: float) -> tuple[list[Exchange], int]:
    """Send requests one after another; also how many retries were asked for."""
    retries = 0

    def may_retry() -> bool:
        nonlocal retries
        retries += 1
        return True

    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    exchanges = []
    async with (
        listener,
        Client(Target(f"http://127.0.0.1:{port}/v1", "m", "openai"), may_retry=may_retry) as client,
    ):
        for _ in range(count):
            exchanges.append(await client.send(ASK))
            await asyncio.sleep(pause)
    return exchanges, retries


def test_closed_connection_costs_no_retry() -> None:
    server = ClosingServer(pause=None)
    exchanges, retries = asyncio.run(sent_to(server, 4, 0))
    assert [exchange.status for exchange in exchanges] == [200] * 4
    assert retries == 0
    # The second request met the closed connection, and none is kept from then on.
    assert [len(exchange.attempts) for exchange in exchanges] == [1, 2, 1, 1]
    assert exchanges[1].attempts[0].fault is not None
    assert server.answered == [1] * 4


def test_idle_closed_connection_is_not_used() -> None:
    server = ClosingServer(pause=0.01)
    exchanges, retries = asyncio.run(sent_to(server, 4, 0.05))
    assert [len(exchange.attempts) for exchange in exchanges] == [1] * 4
    assert retries == 0


def test_unanswered_new_connection_is_no_idle_one() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.close()

    async def story() -> tuple[Exchange, list[bool]]:
        asked: list[bool] = []

        def may_retry() -> bool:
            asked.append(True)
            return False

        listener = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        target = Target(f"http://127.0.0.1:{port}/v1", "m", "openai")
        async with listener, Client(target, may_retry=may_retry) as client:
            return await client.send(ASK), asked

    exchange, asked = asyncio.run(story())
    assert exchange.status is None
    assert len(exchange.attempts) == len(asked) == 1
