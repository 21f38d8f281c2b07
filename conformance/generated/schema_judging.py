"""An answer beside the contract's description: what schemathesis' own checks make of it.

Four of its checks look at an answer alone, without sending anything: whether the status is
documented, the content type, the headers and the schema. A stream's events are read by the suite's
own reader, since the library stops after the first twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from conformance.answers import DONE, Reply, strict_json
from conformance.api import Api
from conformance.contract import SchemaViolation
from conformance.generated._extra import extra
from conformance.generated.schema_drawing import operation_of
from conformance.judgement import Deviation, Inconclusive
from conformance.model import Exchange

if TYPE_CHECKING:
    from schemathesis import Response

ADDRESS = "http://endpoint.invalid"
"""Stands for the endpoint in what the library is shown; nothing is sent there."""

SCHEMA, TYPE = "response_schema_conformance", "content_type_conformance"
STATUS, HEADERS = "status_code_conformance", "response_headers_conformance"
"""The library's names for its checks."""


def hold(reply: Reply, api: Api, *checks: str) -> None:
    """Hold an answer against the description, by some of the library's checks.

    Raises:
        Deviation: with the first line of each complaint.
        NotApplicable: the library is not installed.
        Inconclusive: there was no answer, or it broke off.
    """
    exchange = answered(reply)
    operation = operation_of(api.contract, api.model)
    with extra():
        from schemathesis.checks import CHECKS, load_all_checks
        from schemathesis.core.failures import FailureGroup
    load_all_checks()
    case = operation.Case(body={}, media_type="application/json")
    chosen: list[Any] = list(CHECKS.get_by_names(list(checks)))
    try:
        case.validate_response(_response(exchange), checks=chosen)
    except FailureGroup as group:
        told = "; ".join(_in_a_line(failure) for failure in group.exceptions)
        raise Deviation("an answer that the contract describes", told) from None


def hold_plain(reply: Reply, api: Api) -> None:
    """Hold that a plain answer has the schema of one, by the library and by the suite itself.

    The suite's reading is stricter where clients are: 1700000000.0 is no integer to them.
    """
    hold(reply, api, STATUS, HEADERS, SCHEMA)
    hold_none(api.contract.validate_completion(_json(reply)))


def hold_refusal(reply: Reply, api: Api) -> None:
    """Hold that a refusal has the schema of one."""
    hold(reply, api, STATUS, HEADERS, SCHEMA)
    hold_none(api.contract.validate_error(_json(reply)))


def hold_stream(reply: Reply, api: Api) -> None:
    """Hold that a stream is chunks of the contract's schema, and ``[DONE]``.

    Raises:
        Deviation: an event is neither, or there is no chunk.
        Inconclusive: the stream broke off.
    """
    hold(reply, api, STATUS, HEADERS)
    chunks = [event.data for event in reply.events if event.data.strip() != DONE]
    if not chunks:
        raise Deviation("a stream with chunks", "none")
    for chunk in chunks:
        hold_none(api.contract.validate_chunk(strict_json(chunk, "a stream event")))
    if len(chunks) == len(reply.events):
        raise Deviation(f"{DONE} at the end of a stream", "none")


def hold_none(violations: Sequence[SchemaViolation]) -> None:
    """Hold that nothing breaks a schema."""
    if violations:
        first = violations[0]
        raise Deviation("an answer that matches the schema", f"{first.path}: {first.message}")


def answered(reply: Reply) -> Exchange:
    """Return an exchange whose answer came whole.

    Raises:
        Inconclusive: it did not.
    """
    exchange = reply.exchange
    if exchange.status is None or exchange.fault is not None:
        raise Inconclusive(f"no whole answer: {exchange.fault}")
    return exchange


def _json(reply: Reply) -> object:
    return strict_json(reply.exchange.body.decode("utf-8", errors="replace"), "the body")


def _response(exchange: Exchange) -> Response:
    """Show an exchange to the library as one of its own."""
    with extra():
        from requests import Request
        from schemathesis import Response
    headers: dict[str, list[str]] = {}
    for name, value in exchange.headers:
        headers.setdefault(name.lower(), []).append(value)
    return Response(
        status_code=exchange.status or 0,
        headers=headers,
        content=exchange.body,
        request=Request("POST", ADDRESS).prepare(),
        elapsed=exchange.elapsed,
        verify=True,
    )


def _in_a_line(failure: Any) -> str:
    """Write a complaint in a line: its title, and the first line of what it goes on to say."""
    first = str(failure.message).strip().partition("\n")[0]
    return f"{failure.title}: {first}" if first else str(failure.title)
