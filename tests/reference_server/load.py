"""Requests among many concurrent ones, some of whose clients disconnect."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx

from tests.reference_server.api import MODEL
from tests.reference_server.request_strategies import END, SNIPPETS
from tests.reference_server.streaming import events, join
from tests.servers import RunningServer

NEIGHBOURS = 32


async def responses(
    server: RunningServer, bodies: Sequence[dict[str, Any]], seed: int
) -> list[dict[str, Any]]:
    """The responses to ``bodies``, alternately streamed, amid ``NEIGHBOURS`` concurrent requests.

    A quarter of the concurrent requests already runs, half starts with ``bodies`` in an order that
    depends on the seed, the rest follows after the first response. Half of those that already ran
    disconnect at that time. Ids and times are removed from the responses.
    """
    rng = random.Random(seed)
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(
            base_url=server.base_url, headers=server.headers, timeout=120, limits=limits
        ) as client,
        AsyncExitStack() as running,
    ):
        early = [await _running(client, running, rng) for _ in range(NEIGHBOURS // 4)]
        request = [
            asyncio.ensure_future(respond(client, body, streamed=bool((i + seed) % 2)))
            for i, body in enumerate(bodies)
        ]
        beside = [asyncio.ensure_future(_post(client, rng)) for _ in range(NEIGHBOURS // 2)]
        await asyncio.wait(request, return_when=asyncio.FIRST_COMPLETED)
        for response, _ in early[::2]:
            await response.aclose()
        beside += [asyncio.ensure_future(_post(client, rng)) for _ in range(NEIGHBOURS // 4)]
        found = await asyncio.gather(*request)
        await asyncio.gather(*beside)
        return found


async def respond(
    client: httpx.AsyncClient, body: dict[str, Any], *, streamed: bool
) -> dict[str, Any]:
    """A non-streaming response or joined stream, without its id and time."""
    # best_of ranks all candidates at the end, so it cannot be streamed.
    if streamed and not body.get("best_of"):
        options = {"stream": True, "stream_options": {"include_usage": True}}
        response = await client.post("/completions", json={"model": MODEL, **body, **options})
        whole = join(events(response.text), usage=True)
    else:
        response = await client.post("/completions", json={"model": MODEL, **body})
        assert response.status_code == 200, response.text
        whole = response.json()
    return {name: value for name, value in whole.items() if name not in ("id", "created")}


def _neighbour(rng: random.Random) -> dict[str, Any]:
    """Anything from a word to a page, so that sequences of every length run together."""
    return {
        "model": MODEL,
        "prompt": rng.choice(SNIPPETS) * rng.choice([1, 1, 4, 20]),
        "max_tokens": rng.choice([1, 8, 24, 60]),
        "n": rng.choice([1, 1, 3]),
        "logprobs": rng.choice([None, 2]),
        "echo": rng.random() < 0.3,
        "logit_bias": {str(END): -100},
    }


async def _post(client: httpx.AsyncClient, rng: random.Random) -> None:
    response = await client.post("/completions", json=_neighbour(rng))
    assert response.status_code == 200, response.text


async def _running(
    client: httpx.AsyncClient, stack: AsyncExitStack, rng: random.Random
) -> tuple[httpx.Response, AsyncIterator[str]]:
    """A neighbour whose first piece has come: it is decoded from now on.

    The iterator is handed out to be kept: httpx hangs up when it is dropped.
    """
    body = {**_neighbour(rng), "max_tokens": 100, "stream": True}
    response = await stack.enter_async_context(client.stream("POST", "/completions", json=body))
    lines = response.aiter_lines()
    await anext(lines)
    return response, lines
