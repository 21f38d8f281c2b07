"""Under overload some requests are rejected, none is damaged, and the server recovers."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.api import MODEL, envelope
from tests.reference_server.gated_backend import Connection, GatedBackend, all_queued, run_scenario
from tests.servers import running_server


def assert_refused(client: Connection) -> None:
    assert client.status == 429
    assert client.headers[b"content-type"] == b"application/json"
    assert int(client.headers[b"retry-after"]) > 0
    error = json.loads(client.text)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("stream", [False, True])
def test_full_queue_rejects_until_there_is_room(tiny: Tokenizer, stream: bool) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        running, waiting = connect(), connect()
        first = asyncio.create_task(running.ask(max_tokens=3))
        await backend.about_to()
        second = asyncio.create_task(waiting.ask(max_tokens=3, n=2, stream=True))
        await all_queued()
        for n in (1, 2, 100):
            late = connect()
            await late.ask(stream=stream, n=n)
            assert_refused(late)
        backend.release(100)
        await asyncio.gather(first, second)
        assert running.status == waiting.status == 200
        assert waiting.text.endswith("data: [DONE]\n\n")
        again = connect()
        await again.ask(max_tokens=2, n=3, stream=stream)
        assert again.status == 200
        assert backend.prefills == 3, "no prompt of a refused request was read"

    run_scenario(tiny, scenario, queue=3)


def test_request_is_never_rejected_for_its_size_alone(tiny: Tokenizer) -> None:
    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        backend.release(1000)
        large = connect()
        await large.ask(n=50, max_tokens=2)
        assert len(json.loads(large.text)["choices"]) == 50

    run_scenario(tiny, scenario, queue=3)


def test_requests_are_served_in_order(tiny: Tokenizer) -> None:
    """Plain requests of one length, one row: their answers come in the order of the requests."""
    answered: list[int] = []

    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        async def ask(place: int) -> None:
            await connect().ask(max_tokens=2)
            answered.append(place)

        request = [asyncio.create_task(ask(place)) for place in range(8)]
        backend.release(100)
        await asyncio.gather(*request)
        assert answered == list(range(8))

    run_scenario(tiny, scenario)


def test_short_request_overtakes_a_long_one(tiny: Tokenizer) -> None:
    """All rows belong to a hundred long completions; the newcomer gets one of them at once."""

    async def scenario(backend: GatedBackend, connect: Callable[..., Connection]) -> None:
        long, short = connect(), connect()
        large = asyncio.create_task(long.ask(n=100, max_tokens=400))
        backend.release(1)  # its prompt
        await backend.about_to()
        await backend.about_to()  # its first step
        small = asyncio.create_task(short.ask(max_tokens=2))
        await all_queued()
        backend.release(1 + 1 + 1)  # that step, the newcomer's prompt, and a step of both
        await small
        assert short.status == 200
        assert backend.steps == 2
        assert backend.widest == 4
        assert not large.done()
        long.left.set()
        backend.release(1)
        await large

    run_scenario(tiny, scenario, rows=4, queue=128)


def test_server_recovers_from_overload() -> None:
    """Of 150 requests at once each is answered right or refused, and then all is quiet."""
    body = {"model": MODEL, "prompt": "1, 2, 3,", "max_tokens": 8, "temperature": 0}

    async def overload(client: httpx.AsyncClient) -> list[httpx.Response]:
        requests = [
            client.post("/completions", json={**body, "stream": place % 3 == 0, "n": 1 + place % 2})
            for place in range(150)
        ]
        return await asyncio.gather(*requests)

    async def happen(base_url: str, headers: dict[str, str]) -> Counter[int]:
        async with httpx.AsyncClient(
            base_url=base_url,
            headers=headers,
            timeout=120,
            limits=httpx.Limits(max_connections=None),
        ) as client:
            right: Any = (await client.post("/completions", json=body)).json()
            responses = await overload(client)
            for response in responses:
                if response.status_code == 429:
                    assert envelope(response, 429)["type"] == "requests"
                    assert int(response.headers["retry-after"]) > 0
                elif response.headers["content-type"] == "application/json":
                    for choice in response.json()["choices"]:
                        assert choice["text"] == right["choices"][0]["text"]
                else:
                    assert response.text.endswith("data: [DONE]\n\n")
            full = await client.post("/completions", json={**body, "n": 12})
            assert full.status_code == 200, "taken on only if nobody else is in line"
            return Counter(response.status_code for response in responses)

    with running_server("--max-running", "4", "--max-waiting", "12") as server:
        statuses = asyncio.run(happen(server.base_url, server.headers))
    assert set(statuses) == {200, 429}
