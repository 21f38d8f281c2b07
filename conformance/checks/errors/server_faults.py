"""Good requests that break the server: a 500 where a completion or a refusal belongs.

A server that is out of order for a moment says nothing about a request. So a request that got a 500
is sent again at the end of the run, next to one that is known to be served.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks._shared.invariants import traits
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.judgement import Failure, Inconclusive, NotApplicable
from conformance.model import Credentials
from conformance.protocol.trace import RecordedExchange

BROKEN = 500
"""The status of a server that fell over; 502, 503 and 504 are a gateway's, about another server."""

ROUNDS = 2
"""How often suspects are sent again; the wire repeats each three times before it believes a 500."""

MAX_SUSPECTS = 10
"""Requests that are asked again at most."""


@check_afterwards(
    "errors.good-input-no-server-fault", requirement="errors.good-input-no-server-fault"
)
async def a_right_request_breaks_nothing(api: Api) -> None:
    """No request that the document allows is answered 500 each time that it is sent.

    文档允许的请求，不会每次发送都得到 500。
    """
    broken = [exchange for exchange in right_requests(api) if exchange.exchange.status == BROKEN]
    if not broken:
        return
    guilty = await broken_again(api, simplest(broken)[:MAX_SUSPECTS])
    if guilty:
        result = "; ".join(in_words(exchange) for exchange in guilty)
        raise Failure("a response, or a 4xx that rejects the request", f"500 each time: {result}")


def right_requests(api: Api) -> Iterator[RecordedExchange]:
    """The exchanges whose request the document allows, and that no check has judged a deviation."""
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
        # What an empty prompt or stop sequence means is settled nowhere; other checks look at it.
        meant = bool(body.get("prompt")) and body.get("stop") not in ("", [])
        right = known and meant and not api.contract.validate_request(body)
        if right and body.get("model") == api.model:
            yield recorded


def simplest(broken: Iterable[RecordedExchange]) -> list[RecordedExchange]:
    """Leave out each request that uses all that a simpler one uses, which broke the server too."""
    kept: list[RecordedExchange] = []
    for response in sorted(broken, key=lambda one: (len(shape(one)), one.exchange.request.body)):
        if not any(shape(other) <= shape(response) for other in kept):
            kept.append(response)
    return kept


def shape(exchange: RecordedExchange) -> frozenset[str]:
    """Name what there is to a request beyond the simplest one: parameters, nulls, and scripts."""
    body = json.loads(exchange.exchange.request.body)
    nulls = {f"`{name}: null`" for name, value in body.items() if value is None}
    return (frozenset(traits(exchange)) | nulls) - {"`max_tokens`"}


def in_words(exchange: RecordedExchange) -> str:
    """Tell a reader which request it is."""
    return (
        f"{' with '.join(sorted(shape(exchange))) or 'a minimal request'} ({exchange.exchange.id})"
    )


async def broken_again(api: Api, suspects: list[RecordedExchange]) -> list[RecordedExchange]:
    """Send requests again, and return those that break a server which serves others each time.

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
