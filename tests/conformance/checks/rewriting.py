"""An ideal endpoint behind something that rewrites requests and answers, as a relay would.

A change can break a promise, or use a freedom that a correct server has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from conformance.answered import WholeRun
from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.imagined import ImaginedEndpoint
from conformance.imagined.endpoint import MODEL
from conformance.model import Arrival, Exchange, Finding, Request, Stage
from conformance.runner import judge
from conformance.selection import reason_to_skip
from conformance.wire.sharing import Sharing
from conformance.wire.sse import parse_events

Body = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What is rewritten; whatever is not named passes through.

    ``ask`` sees the request's JSON; ``plain`` and ``chunks`` the answer's beside the request it
    answers; ``refusal`` the JSON of an error; ``raw`` the finished exchange, last of all.
    """

    ask: Callable[[Body], Body] | None = None
    plain: Callable[[Body, Body], Body] | None = None
    chunks: Callable[[Body, list[Body]], list[Body]] | None = None
    refusal: Callable[[Body], Body] | None = None
    raw: Callable[[Exchange], Exchange] | None = None


class Endpoint(Protocol):
    """Whatever answers a request."""

    async def send(self, request: Request) -> Exchange: ...


class Rewriting:
    """A transport that carries requests to an imagined endpoint, and changes them on the way."""

    def __init__(
        self, change: Change, contract: str = "openai", inner: Endpoint | None = None
    ) -> None:
        self._change = change
        self._inner = inner or ImaginedEndpoint(load_contract(contract))

    async def send(self, request: Request) -> Exchange:
        """Carry one request."""
        asked = read(request.body)
        sent = request
        if asked is not None and self._change.ask is not None:
            sent = replace(request, body=json.dumps(self._change.ask(dict(asked))).encode())
        exchange = replace(await self._inner.send(sent), request=request)
        exchange = self._rewritten(exchange, asked or {})
        return self._change.raw(exchange) if self._change.raw is not None else exchange

    def _rewritten(self, exchange: Exchange, asked: Body) -> Exchange:
        change = self._change
        if exchange.status != 200:
            if change.refusal is None:
                return exchange
            return with_body(exchange, json.dumps(change.refusal(json.loads(exchange.body))))
        if exchange.header("content-type") == "text/event-stream":
            if change.chunks is None:
                return exchange
            return with_chunks(exchange, change.chunks(asked, chunks_of(exchange)))
        if change.plain is None:
            return exchange
        return with_body(exchange, json.dumps(change.plain(asked, json.loads(exchange.body))))


def read(body: bytes) -> Body | None:
    """Read a request; None where it is no JSON object."""
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None


def chunks_of(exchange: Exchange) -> list[Body]:
    """Return a stream's chunks."""
    data = [event.data for event in parse_events(exchange.body).events]
    return [json.loads(one) for one in data if one != "[DONE]"]


def with_chunks(exchange: Exchange, chunks: Iterable[Body]) -> Exchange:
    """Write a stream anew, one chunk after the other in steady time."""
    return with_events(exchange, [*(json.dumps(chunk) for chunk in chunks), "[DONE]"])


def with_events(exchange: Exchange, data: Iterable[str]) -> Exchange:
    """Write a stream anew from what its events carry."""
    events = [f"data: {one}\n\n".encode() for one in data]
    arrivals = tuple(Arrival(0.01 * i, len(event)) for i, event in enumerate(events, start=1))
    return replace(exchange, body=b"".join(events), arrivals=arrivals)


def with_body(exchange: Exchange, body: str | bytes) -> Exchange:
    """Give an exchange another body."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", errors="surrogatepass")
    return replace(exchange, body=raw, arrivals=(Arrival(0.01, len(raw)),))


def with_header(exchange: Exchange, name: str, value: str) -> Exchange:
    """Give an exchange another header."""
    kept = tuple((key, old) for key, old in exchange.headers if key != name)
    return replace(exchange, headers=(*kept, (name, value)))


async def findings(
    change: Change, checks: Iterable[Check], contract: str = "openai"
) -> dict[str, Finding]:
    """Judge the changed endpoint by some checks; what the contract does not state is left out."""
    held_to = load_contract(contract)
    transport = Sharing(Rewriting(change, contract).send)
    found: dict[str, Finding] = {}
    # As in a run: what is drawn comes last, and leaves alone what was found by then.
    for check in sorted(checks, key=lambda check: check.stage is Stage.GENERATED):
        if reason_to_skip(check, held_to) is None:
            told = WholeRun(findings=tuple(found.values()))
            api = Api(transport, held_to, MODEL, has_key=True, whole_run=told)
            found[check.id] = await judge(check, api)
    return found


def checks_of(*modules: str) -> list[Check]:
    """Return the checks in some files, such as `stop.limits`, or with some ids."""
    known = set(modules)
    return [check for check in all_checks() if {check.id, file_of(check)} & known]


def file_of(check: Check) -> str:
    """Name the area and the file of a check of this project."""
    return check.run.__module__.removeprefix("conformance.checks.")
