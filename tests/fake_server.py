"""A behaviour of the reference server in front of the fake endpoint: a server without a network.

The faults and variants of ``reference_server`` rewrite requests and answers, whatever stands behind
them. Here that is the endpoint in memory, so that a fault is judged in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any, Protocol

from conformance.api import Api, RetestBudget
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.judging import judge
from conformance.engine.selection import reason_to_skip
from conformance.model import (
    WRONG_KEY,
    Arrival,
    Attempt,
    Credentials,
    Exchange,
    Finding,
    Request,
    Stage,
)
from conformance.protocol.content_codings import codings_of
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.sse import EventCounter
from conformance.protocol.trace import Trace
from conformance.testing import FakeEndpoint
from conformance.transport.answer_size import MAX_BYTES
from conformance.transport.coalesce import RequestCoalescer
from conformance.transport.decoding import Decoder
from reference_server.behaviour.messages import Behaviour, ClientRequest, Part, ServerResponse
from reference_server.behaviour.registry import behaviour
from reference_server.behaviour.relay import paced

KEY = "sk-in-memory-server"
"""The key that the server takes."""

MODEL = "gpt-3.5-turbo-instruct"
"""The model that is served, by a name that faults of the model know as well."""

FIRST_BYTE = 0.01
"""Seconds from a request to the first bytes of its answer."""

SHOWN_KEYS = {Credentials.OWN: KEY, Credentials.WRONG: WRONG_KEY, Credentials.NONE: None}


class Endpoint(Protocol):
    """Whatever answers a request."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange: ...


class FakeServer:
    """A transport to the fake endpoint behind a behaviour, which records the requests."""

    def __init__(
        self,
        shown: Behaviour | str = "none",
        contract: str = "openai",
        *,
        inner: Endpoint | None = None,
    ) -> None:
        """``shown`` is a behaviour, or its name as the server's command line takes it."""
        self.contract = contract
        self._behaviour = behaviour(shown) if isinstance(shown, str) else shown
        self._inner = inner or FakeEndpoint(load_contract(contract), MODEL)
        self._numbers = count(1)
        self.exchanges: dict[str, Exchange] = {}

    @property
    def requests(self) -> list[Request]:
        """The received requests, in order."""
        return [exchange.request for exchange in self.exchanges.values()]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON bodies of the received requests, in order."""
        return [json.loads(request.body) for request in self.requests]

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Answer one request; what is shared is for others to see to."""
        del fresh
        number = f"x{next(self._numbers):04d}"
        self.exchanges[number] = await self._answered(request, number)
        return self.exchanges[number]

    async def _answered(self, request: Request, number: str) -> Exchange:
        if (request.method, request.path) != ("POST", COMPLETIONS):
            return replace(await self._inner.send(request), id=number)
        inner: list[Exchange] = []

        async def upstream(body: ClientRequest) -> ServerResponse:
            inner.append(await self._inner.send(request_of(body, request)))
            return answer_of(inner[-1])

        response = await self._behaviour(client_request_of(request), upstream)
        return exchange_of(paced(response, sum(map(_span, inner))), request, number)


def client_request_of(request: Request) -> ClientRequest:
    """A request as a relay reads it, with the headers that the wire would have added."""
    given = tuple((name.lower(), value) for name, value in request.headers)
    added = {"accept-encoding": "identity", "content-type": "application/json"}
    key = SHOWN_KEYS[request.credentials]
    if key is not None:
        added["authorization"] = f"Bearer {key}"
    named = {name for name, _ in given}
    kept = ((name, value) for name, value in added.items() if name not in named)
    return ClientRequest(request.body, (*kept, *given), KEY)


def request_of(body: ClientRequest, request: Request) -> Request:
    """What a relay sends on, for the fake endpoint, which answers in full."""
    whose = {key: credentials for credentials, key in SHOWN_KEYS.items()}
    shown = next((value for name, value in body.headers if name == "authorization"), None)
    known = shown is None or (shown.startswith("Bearer ") and body.key in whose)
    added = {"accept-encoding", "content-type", *(("authorization",) if known else ())}
    own = tuple((name, value) for name, value in body.headers if name not in added)
    credentials = whose[body.key] if known else Credentials.OWN
    return replace(request, body=body.raw, headers=own, credentials=credentials, read_events=None)


def answer_of(exchange: Exchange) -> ServerResponse:
    """What the fake endpoint answered, in the parts in which it came."""
    assert exchange.status is not None
    parts, start = [], 0
    for arrival in exchange.arrivals:
        parts.append(Part(exchange.body[start : start + arrival.size]))
        start += arrival.size
    headers = tuple((name.lower(), value) for name, value in exchange.headers)
    return ServerResponse(exchange.status, headers, tuple(parts))


def exchange_of(response: ServerResponse, request: Request, number: str) -> Exchange:
    """An answer as it arrives, at its pace; who wants some events alone hangs up after them."""
    if response.unsent:
        fault = "invalid HTTP response from the fake server: it disconnected"
        tried = Attempt(started(number), FIRST_BYTE, None, fault)
        return Exchange(number, request, (tried,), None, (), b"", (), FIRST_BYTE, fault)
    at, arrivals, body = FIRST_BYTE, [], b""
    counter, is_left = EventCounter(), False
    for part in _decoded(response).parts:
        at += part.pause
        arrivals.append(Arrival(round(at, 6), len(part.data)))
        body += part.data
        if request.read_events is not None and counter.feed(part.data) >= request.read_events:
            is_left = True
            break
    return Exchange(
        id=number,
        request=request,
        attempts=(Attempt(started(number), at, response.status, None),),
        status=response.status,
        headers=response.headers,
        body=body,
        arrivals=tuple(arrivals),
        elapsed=at,
        fault="incomplete response from the fake server" if response.cut else None,
        surplus=response.behind if response.behind.strip() and not is_left else b"",
    )


def started(number: str) -> float:
    """When a request was sent, in seconds: one after the other, whatever their answers took."""
    return 1.0 * int(number[1:])


def _decoded(response: ServerResponse) -> ServerResponse:
    """A response as the client hands it on, without its content codings."""
    codings = codings_of(response.headers)
    if not codings:
        return response
    return response.with_raw(b"".join(Decoder(codings, MAX_BYTES).feed(response.raw)))


def _span(exchange: Exchange) -> float:
    """Seconds from the first bytes of an answer to the last."""
    return exchange.arrivals[-1].at - exchange.arrivals[0].at if exchange.arrivals else 0.0


async def findings_of(server: FakeServer, checks: Iterable[Check]) -> dict[str, Finding]:
    """Judge a server by those of some checks that ask, and that the contract leaves in force."""
    held_to = load_contract(server.contract)
    coalescer, retest_budget = RequestCoalescer(server.send), RetestBudget()
    found: dict[str, Finding] = {}
    # As in a run: what is drawn comes last.
    for check in sorted(checks, key=lambda check: check.stage is Stage.GENERATED):
        if check.asks and reason_to_skip(check, held_to) is None:
            result = Trace(findings=tuple(found.values()))
            api = Api(
                coalescer, held_to, MODEL, has_key=True, retest_budget=retest_budget, trace=result
            )
            found[check.id] = await judge(check, api)
    return found
