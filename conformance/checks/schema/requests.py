"""Sends the generated requests that all schema checks share, and judges their responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from conformance.api import Api, encode
from conformance.checks._shared.error_bodies import assert_no_error_inside
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.evidence import Evidence
from conformance.generation.bodies_invalid import Defect, InvalidRequest
from conformance.generation.bodies_shrinking import smallest_body
from conformance.generation.bodies_valid import Body
from conformance.generation.contract_requests import generated_requests
from conformance.judgement import Failure, Inconclusive, Judgement, NotApplicable
from conformance.message import say
from conformance.model import Tier
from conformance.protocol.response import Response

RETESTS = 2
"""How often a request that got a 5xx is retried before that counts."""


@dataclass(frozen=True, slots=True)
class ValidExchange:
    """A valid request and the response to it."""

    body: Body
    response: Response

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return self.body.get("stream") is True


@dataclass(frozen=True, slots=True)
class InvalidExchange:
    """An invalid request and the response to it, which should be an error."""

    request: InvalidRequest
    response: Response


async def prepare(api: Api) -> None:
    """Generate the requests, which takes a second of computing."""
    await generated_requests(api, MINIMAL_REQUEST)


async def send_valid(api: Api) -> list[ValidExchange]:
    """Send all valid requests of the run; below the deep tier this is one."""
    generated = await generated_requests(api, MINIMAL_REQUEST)
    bodies = generated.valid if api.tier is Tier.DEEP else generated.few
    responses = await asyncio.gather(*(api.post(body) for body in bodies))
    return [ValidExchange(body, response) for body, response in zip(bodies, responses, strict=True)]


async def send_invalid(api: Api, *kinds: Defect) -> list[InvalidExchange]:
    """Send the invalid requests of the run, all or those with some kinds of defect."""
    every = (await generated_requests(api, MINIMAL_REQUEST)).invalid
    sent = [request for request in every if not kinds or request.defect in kinds]
    responses = await asyncio.gather(*(api.post(request.raw) for request in sent))
    return [
        InvalidExchange(request, response)
        for request, response in zip(sent, responses, strict=True)
    ]


def is_served(response: Response) -> bool:
    """Return whether a response is a complete 200 without an error in it.

    An error under status 200 is judged by the checks of errors.
    """
    if response.exchange.status != 200 or response.exchange.fault is not None:
        return False
    try:
        assert_no_error_inside(response)
    except Failure:
        return False
    return True


async def assert_each_valid(
    api: Api, exchanges: Iterable[ValidExchange], judge: Callable[[Response], None]
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
            judge(one.response)
            judged += 1
        except Inconclusive as doubt:
            doubts.append(doubt)
        except Failure as found:
            body, simplest = await smallest_body(api, one.body, judge, found)
            move_last(api, encode(body))
            raise with_request(simplest, encode(body)) from None
    if not judged:
        raise (
            doubts[0]
            if doubts
            else NotApplicable(say("none of the generated requests was accepted"))
        )


def assert_each_invalid(
    api: Api, exchanges: Iterable[InvalidExchange], judge: Callable[[Response], None]
) -> None:
    """Judge the response to each invalid request; responses that cannot be judged are skipped.

    Raises:
        Deviation: a response deviates; reported with its request.
        Inconclusive, NotApplicable: no response could be judged.
    """
    doubt: Judgement = NotApplicable(say("none of the generated requests was rejected"))
    judged = 0
    for one in exchanges:
        try:
            judge(one.response)
            judged += 1
        except Failure as found:
            move_last(api, one.request.raw)
            raise with_request(found, one.request.raw).shown_by(
                Evidence((one.response.exchange,))
            ) from None
        except (Inconclusive, NotApplicable) as unclear:
            doubt = unclear
    if not judged:
        raise doubt


def with_request(failure: Failure, raw: bytes) -> Failure:
    """Return a deviation whose message ends with the request that shows it."""
    text = raw.decode("utf-8", errors="backslashreplace")
    return Failure(
        say("{words}; smallest failing request: {request}", words=failure.expected, request=text),
        failure.seen,
        effect=failure.effect,
        place=failure.place,
        subject=failure.subject,
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
            raise Inconclusive(say("requests get a 500, and so does the cheapest one"))
    return True


async def assert_no_server_error(api: Api, responses: Sequence[tuple[bytes, Response]]) -> None:
    """Assert that no request gets a 5xx each time that it is sent.

    Raises:
        Deviation: one does.
        Inconclusive: the cheapest request gets one too.
    """
    for raw, response in responses:
        if response.status >= 500 and await is_server_error_each_time(api, raw):
            seen = say("status {status} each time", status=response.status)
            move_last(api, raw)
            raise with_request(
                Failure(say("a response, or a 4xx that rejects the request"), seen), raw
            )
