"""Sends the generated requests that all schema checks share, and judges their responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from conformance.api import Api, encode
from conformance.checks._shared.error_bodies import assert_no_error_inside
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.generation.bodies_invalid import Defect, InvalidRequest
from conformance.generation.bodies_shrinking import smallest_body
from conformance.generation.bodies_valid import Body
from conformance.generation.contract_requests import generated_requests
from conformance.judgement import Deviation, Inconclusive, Judgement, NotApplicable
from conformance.protocol.response import Reply

RETESTS = 2
"""How often a request that got a 5xx is sent again before that counts."""


@dataclass(frozen=True, slots=True)
class ValidExchange:
    """A valid request and the response to it."""

    body: Body
    reply: Reply

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return self.body.get("stream") is True


@dataclass(frozen=True, slots=True)
class InvalidExchange:
    """An invalid request and the response to it, which should be an error."""

    request: InvalidRequest
    reply: Reply


async def send_valid(api: Api) -> list[ValidExchange]:
    """Send all valid requests of the run."""
    bodies = (await generated_requests(api, MINIMAL_REQUEST)).valid
    replies = await asyncio.gather(*(api.post(body) for body in bodies))
    return [ValidExchange(body, reply) for body, reply in zip(bodies, replies, strict=True)]


async def send_invalid(api: Api, *kinds: Defect) -> list[InvalidExchange]:
    """Send the invalid requests of the run, all or those with some kinds of defect."""
    every = (await generated_requests(api, MINIMAL_REQUEST)).invalid
    sent = [request for request in every if not kinds or request.defect in kinds]
    replies = await asyncio.gather(*(api.post(request.raw) for request in sent))
    return [InvalidExchange(request, reply) for request, reply in zip(sent, replies, strict=True)]


def is_served(reply: Reply) -> bool:
    """Return whether a response is a complete 200 without an error in it.

    An error under status 200 is judged by the checks of errors.
    """
    if reply.exchange.status != 200 or reply.exchange.fault is not None:
        return False
    try:
        assert_no_error_inside(reply)
    except Deviation:
        return False
    return True


async def assert_each_valid(
    api: Api, exchanges: Iterable[ValidExchange], judge: Callable[[Reply], None]
) -> None:
    """Judge the response to each valid request.

    Raises:
        Deviation: a response deviates; reported for the smallest request that shows it.
        Inconclusive: no response could be judged, and one was inconclusive.
        NotApplicable: there is no response.
    """
    doubts: list[Inconclusive] = []
    judged = 0
    for one in exchanges:
        try:
            judge(one.reply)
            judged += 1
        except Inconclusive as doubt:
            doubts.append(doubt)
        except Deviation as found:
            body, simplest = await smallest_body(api, one.body, judge, found)
            move_last(api, encode(body))
            raise with_request(simplest, encode(body)) from None
    if not judged:
        raise doubts[0] if doubts else NotApplicable("none of the drawn requests was served")


def assert_each_invalid(
    api: Api, exchanges: Iterable[InvalidExchange], judge: Callable[[Reply], None]
) -> None:
    """Judge the response to each invalid request; responses that cannot be judged are skipped.

    Raises:
        Deviation: a response deviates; reported with its request.
        Inconclusive, NotApplicable: no response could be judged.
    """
    doubt: Judgement = NotApplicable("none of the drawn requests was refused")
    judged = 0
    for one in exchanges:
        try:
            judge(one.reply)
            judged += 1
        except Deviation as found:
            move_last(api, one.request.raw)
            raise with_request(found, one.request.raw) from None
        except (Inconclusive, NotApplicable) as unclear:
            doubt = unclear
    if not judged:
        raise doubt


def with_request(deviation: Deviation, raw: bytes) -> Deviation:
    """Return a deviation whose message ends with the request that shows it."""
    text = raw.decode("utf-8", errors="backslashreplace")
    return Deviation(
        f"{deviation.expected}; the smallest request that shows it: {text}",
        deviation.seen,
        effect=deviation.effect,
    )


def move_last(api: Api, raw: bytes) -> None:
    """Sort the exchanges of one request last, where reports expect the decisive one."""
    api.exchanges.sort(key=lambda exchange: exchange.request.body == raw)


async def is_server_error_each_time(api: Api, raw: bytes) -> bool:
    """Return whether a request gets a 5xx again, while the cheapest request is served.

    The transport has retried it before that, as it does after every 5xx.

    Raises:
        Inconclusive: the cheapest request is not served either.
    """
    for _ in range(RETESTS):
        if ((await api.post(raw, fresh=True)).exchange.status or 0) < 500:
            return False
        if (await api.complete(fresh=True, **MINIMAL_REQUEST)).exchange.status != 200:
            raise Inconclusive("requests are answered 500, and so is the cheapest one now")
    return True


async def assert_no_server_error(api: Api, replies: Sequence[tuple[bytes, Reply]]) -> None:
    """Assert that no request gets a 5xx each time that it is sent.

    Raises:
        Deviation: one does.
        Inconclusive: the cheapest request gets one too.
    """
    for raw, reply in replies:
        if reply.status >= 500 and await is_server_error_each_time(api, raw):
            seen = f"status {reply.status} each time"
            move_last(api, raw)
            raise with_request(
                Deviation("an answer, or a 4xx that declines the request", seen), raw
            )
