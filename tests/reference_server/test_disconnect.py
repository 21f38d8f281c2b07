"""After a disconnect the server computes at most one more token."""

import asyncio
import json
from collections.abc import Callable

import pytest

from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.gated_backend import Connection, GatedBackend, all_queued, run_scenario


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_client_disconnects_during_generation(tiny: Tokenizer, steps: int, stream: bool) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        client = connect()
        request = asyncio.create_task(client.ask(stream=stream))
        backend.release(1 + steps)  # the prompt and some steps
        for _ in range(1 + steps + 1):
            await backend.about_to()
        client.left.set()
        await request
        assert "[DONE]" not in client.text
        # What it was about to do, it does; after that the row belongs to the next.
        backend.release(100)
        other = connect()
        await other.ask(max_tokens=3)
        assert other.status == 200
        assert backend.steps == steps + 1 + 2

    run_scenario(tiny, scenario)


@pytest.mark.parametrize("stream", [False, True])
def test_client_disconnects_before_the_first_token(tiny: Tokenizer, stream: bool) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        client = connect()
        request = asyncio.create_task(client.ask(stream=stream, n=5))
        await backend.about_to()  # read the prompt
        client.left.set()
        await request
        assert client.sent == []
        backend.release(100)
        other = connect()
        await other.ask(max_tokens=1)
        assert backend.steps <= 1
        assert backend.prefills == 2

    run_scenario(tiny, scenario)


@pytest.mark.parametrize("stream", [False, True])
def test_client_disconnects_in_the_queue(tiny: Tokenizer, stream: bool) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        served, waiting = connect(), connect()
        first = asyncio.create_task(served.ask(max_tokens=4))
        await backend.about_to()
        second = asyncio.create_task(waiting.ask(stream=stream))
        await all_queued()
        waiting.left.set()
        await second
        backend.release(100)
        await first
        assert served.status == 200
        assert backend.prefills == 1

    run_scenario(tiny, scenario)


def test_client_disconnects_while_its_body_is_read(tiny: Tokenizer) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        client = connect(whole=False)
        request = asyncio.create_task(client.ask())
        await all_queued()
        client.left.set()
        await request
        assert backend.prefills == 0

    run_scenario(tiny, scenario)


@pytest.mark.parametrize("moment", ["http.response.start", "http.response.body"])
def test_client_disconnects_as_its_stream_begins(tiny: Tokenizer, moment: str) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        client = connect(leaves_at=moment)
        request = asyncio.create_task(client.ask(stream=True))
        backend.release(2)  # the prompt, and the step that follows in the same turn
        await request
        backend.release(100)
        await connect().ask(max_tokens=3)
        assert backend.steps <= 2 + 2

    run_scenario(tiny, scenario)


def test_client_that_does_not_read_keeps_no_row(tiny: Tokenizer) -> None:
    """Its generated text waits, and other requests continue."""

    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        stuck, other = connect(reads=False), connect()
        request = asyncio.create_task(stuck.ask(stream=True, max_tokens=50))
        backend.release(100)
        await all_queued()
        await other.ask(max_tokens=2)
        assert other.status == 200
        assert not request.done()
        stuck.left.set()
        await request

    run_scenario(tiny, scenario)


def test_other_requests_continue_after_a_disconnect(tiny: Tokenizer) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        clients = [connect() for _ in range(3)]
        request = [asyncio.create_task(clients[0].ask(max_tokens=6))]
        await backend.about_to()  # read the first one's prompt
        request += [
            asyncio.create_task(clients[1].ask(max_tokens=6, stream=True)),
            asyncio.create_task(clients[2].ask(max_tokens=6)),
        ]
        await all_queued()
        backend.release(4)  # the first one's prompt and step, two prompts
        for _ in range(4):
            await backend.about_to()
        backend.release(1)  # a step of all three
        await backend.about_to()
        assert (backend.steps, backend.rows) == (2, 4)
        clients[1].left.set()
        await request[1]
        backend.release(100)
        await asyncio.gather(request[0], request[2])
        texts = [json.loads(clients[i].text)["choices"][0]["text"] for i in (0, 2)]
        assert texts == ["abSTOP世界youab"] * 2
        assert (backend.steps, backend.rows) == (6, 5 + 2 + 5)

    run_scenario(tiny, scenario, rows=3)
