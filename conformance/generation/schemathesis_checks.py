"""Validates responses against the contract's description with schemathesis' own checks.

Four of its checks read a response and send nothing: documented status, content type, headers and
schema. The events of a stream are read by the suite's own reader, because the library stops after
the first twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from conformance.api import Api
from conformance.contract import SchemaViolation
from conformance.generation._imports import quietly
from conformance.generation.schemathesis_driver import operation_of
from conformance.judgement import Failure, Inconclusive
from conformance.message import say, verbatim
from conformance.model import Exchange, Place
from conformance.protocol.response import DONE, Response
from conformance.protocol.strict_json import strict_json

if TYPE_CHECKING:
    from schemathesis import Response as SchemathesisResponse

ADDRESS = "http://endpoint.invalid"
"""Stands for the endpoint in the objects passed to the library; nothing is sent there."""

SCHEMA, TYPE = "response_schema_conformance", "content_type_conformance"
STATUS, HEADERS = "status_code_conformance", "response_headers_conformance"
"""The library's names for its checks."""


def assert_described(response: Response, api: Api, *checks: str) -> None:
    """Assert that a response conforms to the description, by the named checks of the library.

    Raises:
        Failure: it does not; with the first line of each failure.
        Inconclusive: there is no response, or it is incomplete.
    """
    exchange = complete_exchange(response)
    operation = operation_of(api.contract, api.model)
    with quietly():
        from schemathesis.checks import CHECKS, load_all_checks
        from schemathesis.core.failures import FailureGroup
    load_all_checks()
    case = operation.Case(body={}, media_type="application/json")
    chosen: list[Any] = list(CHECKS.get_by_names(list(checks)))
    try:
        case.validate_response(_response(exchange), checks=chosen)
    except FailureGroup as group:
        failures = "; ".join(_one_line(failure) for failure in group.exceptions)
        raise Failure(say("a response that the contract describes"), verbatim(failures)) from None


def assert_completion_fits(response: Response, api: Api) -> None:
    """Assert that a non-streaming response fits the schema, by the library and by the suite.

    The suite's validation is stricter where clients are: for them 1700000000.0 is no integer.
    """
    assert_described(response, api, STATUS, HEADERS)
    # First by the suite, which knows the member that is wrong.
    assert_no_violations(api.contract.validate_completion(_json(response)))
    assert_described(response, api, SCHEMA)


def assert_error_fits(response: Response, api: Api) -> None:
    """Assert that an error response fits the schema."""
    assert_described(response, api, STATUS, HEADERS)
    assert_no_violations(api.contract.validate_error(_json(response)))
    assert_described(response, api, SCHEMA)


def assert_stream_fits(response: Response, api: Api) -> None:
    """Assert that a stream is chunks that fit the schema, then ``[DONE]``.

    Raises:
        Failure: an event is neither, or there is no chunk.
        Inconclusive: the stream is incomplete.
    """
    assert_described(response, api, STATUS, HEADERS)
    chunks = [event.data for event in response.events if event.data.strip() != DONE]
    if not chunks:
        raise Failure(say("a stream with chunks"), say("none"))
    for chunk in chunks:
        assert_no_violations(api.contract.validate_chunk(strict_json(chunk, say("a stream event"))))
    if len(chunks) == len(response.events):
        raise Failure(say("{mark} at the end of a stream", mark=DONE), say("none"))


def assert_no_violations(violations: Sequence[SchemaViolation]) -> None:
    """Assert that there are no violations; the first one is reported."""
    if violations:
        first = violations[0]
        raise Failure(
            say("a response that matches the schema"),
            first.said,
            place=Place.SCHEMA,
            subject=first.subject or None,
        )


def complete_exchange(response: Response) -> Exchange:
    """Return the exchange of a complete response.

    Raises:
        Inconclusive: there is no response, or it is incomplete.
    """
    exchange = response.exchange
    if exchange.status is None or exchange.fault is not None:
        raise Inconclusive(say("no complete response: {reason}", reason=exchange.fault))
    return exchange


def _json(response: Response) -> object:
    return strict_json(response.exchange.body.decode("utf-8", errors="replace"), say("the body"))


def _response(exchange: Exchange) -> SchemathesisResponse:
    """Convert an exchange to the library's response."""
    with quietly():
        from requests import Request
        from schemathesis import Response as SchemathesisResponse
    headers: dict[str, list[str]] = {}
    for name, value in exchange.headers:
        headers.setdefault(name.lower(), []).append(value)
    return SchemathesisResponse(
        status_code=exchange.status or 0,
        headers=headers,
        content=exchange.body,
        request=Request("POST", ADDRESS).prepare(),
        elapsed=exchange.elapsed,
        verify=True,
    )


def _one_line(failure: Any) -> str:
    """Return the title of a failure and the first line of its message."""
    first = str(failure.message).strip().partition("\n")[0]
    return f"{failure.title}: {first}" if first else str(failure.title)
