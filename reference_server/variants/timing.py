"""Response times: slow to begin, uneven, or with a long round trip."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from reference_server.behaviour.builders import streams
from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse, Upstream
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

NETWORK_DELAY_SECONDS = 0.02
"""Seconds that a distant server adds to every response."""


@variant("slow-first-token")
def slow_first_token() -> Behaviour:
    """A stream's first event is late, as after a long prompt; the others follow evenly."""
    return streams(lambda _, got: _paced(got, [0.15, *[0.001] * (len(got.parts) - 1)]))


@variant("jitter")
def jitter() -> Behaviour:
    """A stream's events arrive at uneven intervals."""
    chance = random.Random(20)  # noqa: S311 - randomness that can be repeated
    return streams(lambda _, got: _paced(got, [chance.expovariate(400) for _ in got.parts]))


@variant("bursts")
def bursts() -> Behaviour:
    """A stream's events arrive in bursts of four, as from an overloaded server."""
    return streams(
        lambda _, got: _paced(got, [0.0 if at % 4 else 0.01 for at in range(len(got.parts))])
    )


@variant("far-away")
def far_away() -> Behaviour:
    """Every response takes a little longer, streamed or not."""
    return Rewrite(
        raw=lambda _, got: _paced(got, [NETWORK_DELAY_SECONDS, *[0.0] * (len(got.parts) - 1)])
    )


@variant("one-at-a-time")
def one_at_a_time() -> Behaviour:
    """Requests are served one after the other, however many arrive at once."""
    return _OneAtATime()


class _OneAtATime:
    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        async with self._turn:
            return await upstream(request)


def _paced(got: ServerResponse, pauses: list[float]) -> ServerResponse:
    paced = zip(got.parts, pauses, strict=True)
    return replace(got, parts=tuple(replace(part, pause=pause) for part, pause in paced))
