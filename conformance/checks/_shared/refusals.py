"""Requests that have to be rejected, so small that serving one costs a single token.

Whether it is the right 4xx with the right error body is judged once, by the checks of errors; here
only whether a request is rejected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from conformance.api import Api
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import Failure, NotApplicable, Refusal, expect
from conformance.message import Message, say
from conformance.protocol.completion import Completion
from conformance.protocol.error_response import ErrorResponse
from conformance.protocol.response import REFUSALS, Response

REJECTED_STATUSES = (400, 422)
"""Statuses that reject a value out of range; the checks of errors judge 422 as a lesser failure."""

WRONG_TYPE_REQUEST: Mapping[str, Any] = {**MINIMAL_REQUEST, "temperature": "hot"}
"""A number that is a word."""

OVER_PENALTY = 0.1
"""The distance from the documented maximum of a penalty that has to be rejected."""

MAX_REJECTED_EVENTS = 3
"""Events to read of a stream that should have been rejected."""

UNKNOWN_MODEL = "no-such-model-7f3a9c"
"""A name that no endpoint serves."""

MODEL_REJECTED_STATUSES = (400, 403, 404, 422)
"""Statuses that reject a model: a bad request, forbidden to this key, or not found."""


def minimal_request(**more: Any) -> dict[str, Any]:
    """Return the body of the cheapest request; ``more`` adds members or replaces them."""
    return {**MINIMAL_REQUEST, **more}


def as_rejected(response: Response, *statuses: int) -> ErrorResponse:
    """Return a rejection, so that its details can be judged.

    Raises:
        NotApplicable: the request was served, caused a server error, or was rejected with another
            status than expected.
        Inconclusive: 429 or no response, which say nothing about the request.
    """
    rejected = statuses or tuple(REFUSALS)
    try:
        return response.expect_error(*rejected)
    except Failure:
        raise NotApplicable(
            say(
                "no rejection to inspect: status {status} (covered by other checks)",
                status=response.status,
            )
        ) from None


async def expect_rejected(api: Api, **wrong: Any) -> ErrorResponse:
    """Add invalid members to the cheapest request, and assert that it is rejected."""
    return (await api.complete(**minimal_request(**wrong))).expect_error(*REJECTED_STATUSES)


async def assert_usual_status(api: Api, error: ErrorResponse, usual: int) -> None:
    """Assert the status of a rejection, unless every bad value gets the same other one.

    Raises:
        NotApplicable: a value of a wrong type gets it, too, which another check reports.
    """
    if error.status == usual:
        return
    of_type = (await api.complete(**WRONG_TYPE_REQUEST)).exchange.status
    if error.status == of_type != 400:
        raise NotApplicable(
            say("status {status} for every bad value (covered by another check)", status=of_type)
        )
    expect(error.status, say("status")).equals(usual)


async def rejected_stream(api: Api) -> tuple[int, Response]:
    """Request a stream with a value that is rejected without ``stream``.

    It is a penalty out of range, which a server in front may leave to the model's; where that is
    served or has no limit, it is a value of a wrong type.

    Returns:
        The status of the rejection without ``stream``, and the response with it.

    Raises:
        NotApplicable: the value of a wrong type is served without ``stream``, too.
    """
    one, other = _with_penalty(api, "frequency_penalty"), _with_penalty(api, "presence_penalty")
    if one and other:
        streamed = await api.stream(read_events=MAX_REJECTED_EVENTS, **one)
        if not streamed.is_served:
            # Another penalty out of range is rejected alike, and is requested anyway.
            plain = await api.complete(**other)
            if plain.status != streamed.status:
                plain = await api.complete(**one)
            if plain.status in REFUSALS:
                return plain.status, streamed
    wanted = as_rejected(await api.complete(**WRONG_TYPE_REQUEST)).status
    return wanted, await api.stream(**WRONG_TYPE_REQUEST)


def _with_penalty(api: Api, name: str) -> dict[str, Any] | None:
    """Return the request with a penalty above its maximum; None if the document states none."""
    maximum = api.contract.parameter(name).maximum
    return None if maximum is None else minimal_request(**{name: maximum + OVER_PENALTY})


def served_or_rejected(response: Response) -> Completion | None:
    """Assert that a request was served or rejected cleanly, and return the completion, if any.

    Raises:
        Failure: a server error, or a response that is neither; how a rejection is written is
            judged by the checks of errors.
        Inconclusive: 429, a rejected key, or no response.
    """
    if response.status == 200:
        return response.expect_ok()
    response.expect_error(*REFUSALS)
    return None


@asynccontextmanager
async def where_served(api: Api, name: str, value: Any) -> AsyncIterator[None]:
    """Judge the null of a parameter only if a value of it is served.

    Raises:
        Refusal: of the value, if that is rejected, too; otherwise of the null.
    """
    try:
        yield
    except Refusal:
        # A null uses no feature, so its rejection alone would not show an optional feature.
        (await api.complete(**minimal_request(**{name: value}))).expect_ok()
        raise


def above(api: Api, name: str, step: float) -> float:
    """Return the nearest value above the documented maximum of a parameter."""
    return _bound(name, say("maximum"), api.contract.parameter(name).maximum) + step


def below(api: Api, name: str, step: float) -> float:
    """Return the nearest value below the documented minimum of a parameter."""
    return _bound(name, say("minimum"), api.contract.parameter(name).minimum) - step


def _bound(name: str, which: Message, value: float | None) -> float:
    if value is None:
        raise NotApplicable(
            say("this document states no {which} of {name}", which=which, name=name)
        )
    return value
