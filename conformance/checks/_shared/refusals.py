"""Requests that have to be rejected, so small that serving one costs a single token.

Which 4xx comes back, and how the error is written, is judged once, with the errors; here only
whether a request is rejected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from conformance.api import Api
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import Failure, NotApplicable, Refusal
from conformance.protocol.completion import Completion
from conformance.protocol.response import REFUSALS, ErrorResponse, Response

REJECTED_STATUSES = (400, 422)
"""How a value out of range is declined; 422 is a lesser deviation that the errors' checks judge."""

UNKNOWN_MODEL = "no-such-model-7f3a9c"
"""A name that no endpoint serves."""

MODEL_REJECTED_STATUSES = (400, 403, 404, 422)
"""How endpoints decline a model: as a bad request, as forbidden to this key, or as not found."""


def minimal_request(**more: Any) -> dict[str, Any]:
    """Write the body of the cheapest request, with what a check adds to it or puts in its place."""
    return {**MINIMAL_REQUEST, **more}


def as_rejected(response: Response, *statuses: int) -> ErrorResponse:
    """Return a refusal for its details to be judged.

    Raises:
        NotApplicable: there is none to look at, because the request was served, broke the server,
            or was declined with another status than a refusal of this kind has.
        Deviation: it is no JSON.
        Inconclusive: 429 or no answer, which say nothing of the request.
    """
    rejected = statuses or tuple(REFUSALS)
    try:
        return response.expect_error(*rejected)
    except Failure:
        if response.status in rejected:
            raise
        raise NotApplicable(
            f"no rejection to inspect: status {response.status} (covered by other checks)"
        ) from None


async def expect_rejected(api: Api, **wrong: Any) -> ErrorResponse:
    """Add what is wrong to the cheapest request, and assert that it is rejected."""
    return (await api.complete(**minimal_request(**wrong))).expect_error(*REJECTED_STATUSES)


def served_or_rejected(response: Response) -> Completion | None:
    """Assert that a request was served or declined cleanly, and return the answer if it was served.

    Raises:
        Deviation: a server fault, or an answer that is neither.
        Inconclusive: 429, trouble with the key, or no answer.
    """
    if response.status == 200:
        return response.expect_ok()
    # A refusal must be readable as one; the accessor says what is missing if it is not.
    _ = response.expect_error(*REFUSALS).message
    return None


@asynccontextmanager
async def where_served(api: Api, name: str, value: Any) -> AsyncIterator[None]:
    """Judge the null of a parameter only where a value of it is served.

    Raises:
        Refusal: of the value, where that is declined too; otherwise of the null.
    """
    try:
        yield
    except Refusal:
        # A null names no feature, so its refusal alone would not show that the feature is optional.
        (await api.complete(**minimal_request(**{name: value}))).expect_ok()
        raise


def above(api: Api, name: str, step: float) -> float:
    """Return the nearest value above the documented maximum of a parameter."""
    return _bound(name, "maximum", api.contract.parameter(name).maximum) + step


def below(api: Api, name: str, step: float) -> float:
    """Return the nearest value below the documented minimum of a parameter."""
    return _bound(name, "minimum", api.contract.parameter(name).minimum) - step


def _bound(name: str, which: str, value: float | None) -> float:
    if value is None:
        raise NotApplicable(f"this document states no {which} of {name}")
    return value
