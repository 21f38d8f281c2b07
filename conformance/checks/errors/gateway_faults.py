"""Invalid requests that get a 500, or a 502, 503 or 504 from a gateway in front of the server.

Such a response usually says nothing about the request. But if the same invalid request gets it
every time, and valid ones in between are served, the request breaks the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.evidence import Evidence
from conformance.judgement import Failure, Inconclusive, NotApplicable, shown
from conformance.message import say
from conformance.model import Credentials, Verdict
from conformance.protocol.response import Response
from conformance.protocol.trace import RecordedExchange

GATEWAY = frozenset({502, 503, 504})
"""Statuses of a gateway whose upstream server fails."""

BROKEN = GATEWAY | {500}
"""These, and that of the server itself."""

ROUNDS = 2
"""How often an invalid request is sent again, with a valid one after each time."""


@check_afterwards("errors.no-gateway-fault", requirement="errors.bad-input-no-server-fault")
async def a_bad_request_causes_no_gateway_error(api: Api) -> None:
    """No request that the document excludes gets a 500, 502, 503 or 504 each time it is sent.

    文档所排除的请求，不会每次发送都得到 500、502、503 或 504。
    """
    bad = list(bad_requests(api))
    if not bad:
        raise NotApplicable(say("no invalid requests to inspect"))
    # A 500 is a failure of the check that sent the request; a warning says less than it shows.
    failed = (f for f in api.trace.reported_failures if f.verdict is Verdict.FAIL)
    reported = {exchange for finding in failed for exchange in finding.exchanges}
    suspects = [
        response
        for response in bad
        if response.exchange.status in (GATEWAY if response.exchange.id in reported else BROKEN)
    ]
    if suspects and await is_broken_again(api, suspects[0]):
        status, body = suspects[0].exchange.status, suspects[0].exchange.request.body
        raise Failure(
            say("a 4xx for an invalid request"),
            say(
                "{status} each time for {body}",
                status=status,
                body=shown(body.decode("utf-8", errors="replace")),
            ),
        ).shown_by(Evidence((suspects[0].exchange,)))


def bad_requests(api: Api) -> Iterator[RecordedExchange]:
    """Yield the exchanges whose request has a value that the document's schema excludes."""
    for exchange in api.trace.exchanges:
        if exchange.exchange.request.credentials is not Credentials.OWN:
            continue
        try:
            body = exchange.request.raw
        except NotApplicable:
            continue
        if body.get("model") == api.model and api.contract.validate_request(body):
            yield exchange


async def is_broken_again(api: Api, exchange: RecordedExchange) -> bool:
    """Send an invalid request again, and return whether it gets a gateway error each time.

    Raises:
        Inconclusive: the cheapest valid request is not served either.
    """
    for _ in range(ROUNDS):
        again: Response = await api.post(exchange.exchange.request.body, fresh=True)
        if again.exchange.status not in BROKEN:
            return False
        control = await api.complete(fresh=True, **MINIMAL_REQUEST)
        if control.exchange.status != 200:
            raise Inconclusive(
                say("invalid requests get a gateway error, and so does the cheapest one")
            )
    return True
