"""Valid requests that cause a server error: a 500 instead of a completion or a rejection.

A temporary failure of the server says nothing about a request. So a request that got a 500 is sent
again at the end of the run, next to one that is known to be served.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks._shared.invariants import traits
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.evidence import Evidence
from conformance.judgement import Failure, Inconclusive, NotApplicable
from conformance.model import Credentials
from conformance.protocol.trace import RecordedExchange

BROKEN = 500
"""The status of an internal server error; 502, 503 and 504 come from a gateway."""

ROUNDS = 2
"""How often suspects are sent again; the transport retries each three times on a 500."""

MAX_SUSPECTS = 10
"""The most requests that are sent again."""


@check_afterwards(
    "errors.good-input-no-server-fault", requirement="errors.good-input-no-server-fault"
)
async def a_valid_request_causes_no_server_error(api: Api) -> None:
    """No request that the document allows gets a 500 each time it is sent.

    文档允许的请求，不会每次发送都得到 500。
    """
    broken = [exchange for exchange in valid_exchanges(api) if exchange.exchange.status == BROKEN]
    if not broken:
        return
    guilty = await broken_again(api, simplest(broken)[:MAX_SUSPECTS])
    if guilty:
        result = "; ".join(in_words(exchange) for exchange in guilty)
        raise Failure(
            "a response, or a 4xx that rejects the request", f"500 each time: {result}"
        ).shown_by(Evidence(tuple(exchange.exchange for exchange in guilty)))


def valid_exchanges(api: Api) -> Iterator[RecordedExchange]:
    """Yield exchanges whose request the document allows, and whose response no check reported."""
    result = {exchange for finding in api.trace.reported_failures for exchange in finding.exchanges}
    for recorded in api.trace.exchanges:
        request = recorded.exchange.request
        if recorded.exchange.id in result or request.credentials is not Credentials.OWN:
            continue
        try:
            body = dict(recorded.request.raw)
        except NotApplicable:
            continue
        known = all(api.contract.parameter(name).documented for name in body)
        # No document defines an empty prompt or stop sequence; other checks judge them.
        meant = bool(body.get("prompt")) and body.get("stop") not in ("", [])
        right = known and meant and not api.contract.validate_request(body)
        if right and body.get("model") == api.model:
            yield recorded


def simplest(broken: Iterable[RecordedExchange]) -> list[RecordedExchange]:
    """Leave out each request that has all features of a simpler request that also fails."""
    kept: list[RecordedExchange] = []
    for response in sorted(broken, key=lambda one: (len(shape(one)), one.exchange.request.body)):
        if not any(shape(other) <= shape(response) for other in kept):
            kept.append(response)
    return kept


def shape(exchange: RecordedExchange) -> frozenset[str]:
    """Return the features of a request beyond the minimal one: parameters, nulls, scripts."""
    body = json.loads(exchange.exchange.request.body)
    nulls = {f"`{name}: null`" for name, value in body.items() if value is None}
    return (frozenset(traits(exchange)) | nulls) - {"`max_tokens`"}


def in_words(exchange: RecordedExchange) -> str:
    """Describe a request for a reader."""
    return (
        f"{' with '.join(sorted(shape(exchange))) or 'a minimal request'} ({exchange.exchange.id})"
    )


async def broken_again(api: Api, suspects: list[RecordedExchange]) -> list[RecordedExchange]:
    """Send requests again, and return those that fail each time while the server serves others.

    Raises:
        Inconclusive: the cheapest request is not served either.
    """
    for _ in range(ROUNDS):
        responses = [await api.post(s.exchange.request.body, fresh=True) for s in suspects]
        again = zip(suspects, responses, strict=True)
        suspects = [s for s, response in again if response.exchange.status == BROKEN]
        control = await api.complete(fresh=True, **MINIMAL_REQUEST)
        if suspects and control.exchange.status != 200:
            raise Inconclusive("requests get a 500, and so does the cheapest one")
    return suspects
