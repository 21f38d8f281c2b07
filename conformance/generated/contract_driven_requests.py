"""The requests that all contract-driven checks share, drawn once for a contract, model and seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from conformance.answers import Reply
from conformance.api import Api, encode
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.contract import Contract
from conformance.generated.bodies import Body, always, right_requests
from conformance.generated.bodies_shrinking import smallest
from conformance.generated.bodies_wrong import Wrong, WrongRequest, wrong_requests
from conformance.generated.schema_drawing import draw
from conformance.judgement import Deviation, Inconclusive, NotApplicable
from conformance.model import Stage

DEEP: dict[str, Any] = {"tier": "deep", "stage": Stage.GENERATED}
"""Where a contract-driven check belongs."""

RIGHT, WRONG = 40, 80
"""Bodies that are drawn, of which few are chosen: drawing is cheap, and asking is not."""

PLAIN, STREAMED = 3, 3
WANTED = {Wrong.TYPE: 4, Wrong.RANGE: 3, Wrong.MODEL: 1, Wrong.JSON: 1}


@dataclass(frozen=True, slots=True)
class Requests:
    """What is asked: right bodies, and wrong ones."""

    right: tuple[Body, ...]
    wrong: tuple[WrongRequest, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A right request and what came back; ``streams`` tells whether it asks for a stream."""

    body: Body
    reply: Reply

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return self.body.get("stream") is True


@dataclass(frozen=True, slots=True)
class Declined:
    """A wrong request and what came back, which ought to be a refusal."""

    request: WrongRequest
    reply: Reply


async def requests_of(api: Api) -> Requests:
    """Draw the requests of a run, or remember them.

    Raises:
        NotApplicable: what draws them is not installed.
    """
    return await asyncio.to_thread(_requests, api.contract, api.model, api.seed)


async def right(api: Api) -> list[Asked]:
    """Ask what the contract allows."""
    bodies = (await requests_of(api)).right
    replies = await asyncio.gather(*(api.post(body) for body in bodies))
    return [Asked(body, reply) for body, reply in zip(bodies, replies, strict=True)]


async def wrong(api: Api, *kinds: Wrong) -> list[Declined]:
    """Ask what the contract forbids, in some ways or in all."""
    every = (await requests_of(api)).wrong
    asked = [request for request in every if not kinds or request.wrong in kinds]
    replies = await asyncio.gather(*(api.post(request.raw) for request in asked))
    return [Declined(request, reply) for request, reply in zip(asked, replies, strict=True)]


async def hold_each(api: Api, asked: Iterable[Asked], judge: Callable[[Reply], None]) -> None:
    """Judge each answer that a right request was given.

    Raises:
        Deviation: told of the smallest request that shows it.
        Inconclusive: no answer could be judged, because of what one of them was like.
        NotApplicable: there is none.
    """
    doubts: list[Inconclusive] = []
    judged = 0
    for one in asked:
        try:
            judge(one.reply)
            judged += 1
        except Inconclusive as doubt:
            doubts.append(doubt)
        except Deviation as found:
            body, simplest = await smallest(api, one.body, judge, found)
            show_last(api, encode(body))
            raise told(simplest, encode(body)) from None
    if not judged:
        raise doubts[0] if doubts else NotApplicable("none of the drawn requests was served")


def told(deviation: Deviation, raw: bytes) -> Deviation:
    """Name the request in which a deviation shows, as the other generated checks do."""
    text = raw.decode("utf-8", errors="backslashreplace")
    return Deviation(
        f"{deviation.expected}; the smallest request that shows it: {text}",
        deviation.seen,
        effect=deviation.effect,
    )


def show_last(api: Api, raw: bytes) -> None:
    """Put the exchanges of one request behind all others, where readers look for what decided."""
    api.exchanges.sort(key=lambda exchange: exchange.request.body == raw)


async def breaks_each_time(api: Api, raw: bytes, rounds: int = 2) -> bool:
    """Tell whether a request breaks a server again and again that serves the cheapest between.

    The wire has repeated it before that, as it does with every server fault.

    Raises:
        Inconclusive: the cheapest request is not served either.
    """
    for _ in range(rounds):
        if ((await api.post(raw, fresh=True)).exchange.status or 0) < 500:
            return False
        if (await api.complete(fresh=True, **MINIMAL_REQUEST)).exchange.status != 200:
            raise Inconclusive("requests are answered 500, and so is the cheapest one now")
    return True


async def hold_unbroken(api: Api, answers: Sequence[tuple[bytes, Reply]]) -> None:
    """Hold that no request is a server fault each time that it is sent.

    Raises:
        Deviation: one is.
        Inconclusive: the server is out of order.
    """
    for raw, reply in answers:
        if reply.status >= 500 and await breaks_each_time(api, raw):
            seen = f"status {reply.status} each time"
            show_last(api, raw)
            raise told(Deviation("an answer, or a 4xx that declines the request", seen), raw)


_drawing = Lock()


def _requests(contract: Contract, model: str, seed: int) -> Requests:
    # Whoever comes second waits for what the first one draws, in place of drawing it too.
    with _drawing:
        return _drawn(contract, model, seed)


@lru_cache(maxsize=64)
def _drawn(contract: Contract, model: str, seed: int) -> Requests:
    bodies = draw(contract, model, "positive", RIGHT, seed)
    served = right_requests(bodies, contract, plain=PLAIN, streamed=STREAMED)
    # What is wrong is put into a request that is cheap where it is served after all.
    needed = {name: value for name, value in served[0].items() if name in always(contract)}
    cheap = {**needed, **MINIMAL_REQUEST}
    broken = draw(contract, model, "negative", WRONG, seed)
    faults = wrong_requests(broken, cheap, contract, WANTED)
    return Requests(tuple(served), tuple(faults))
