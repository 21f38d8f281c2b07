"""An ideal endpoint that breaks one promise, on the way in or on the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.discovery import all_checks
from conformance.imagined import ImaginedEndpoint
from conformance.model import Arrival, Exchange, Finding, Request
from conformance.runner import judge
from conformance.wire.sharing import Sharing
from conformance.wire.sse import parse_events

Body = dict[str, Any]
Ask = Callable[[Body], Body]
Tell = Callable[[Body, Body], Body]
TellStream = Callable[[Body, list[Body]], list[Body]]

MODEL = "imagined"


class Declined(Exception):  # noqa: N818 - an answer, not an error
    """What a fault raises to answer with an error of its own."""

    def __init__(self, status: int, message: str = "no") -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Fault:
    """One promise broken: ``ask`` rewrites requests, ``tell`` and ``tell_stream`` answers.

    ``decline`` rewrites the status and body of refusals, ``read`` the raw request.
    """

    ask: Ask = lambda body: body
    tell: Tell = lambda body, answer: answer  # noqa: ARG005
    tell_stream: TellStream = lambda body, chunks: chunks  # noqa: ARG005
    decline: Callable[[int, Body], tuple[int, Body]] = lambda status, error: (status, error)
    read: Callable[[bytes], bytes] = lambda raw: raw


class Faulty:
    """A transport that shows a fault in front of the imagined endpoint."""

    def __init__(self, fault: Fault, contract_name: str) -> None:
        self._fault = fault
        self._inner = ImaginedEndpoint(load_contract(contract_name), MODEL)
        self._sent = 0

    async def send(self, request: Request) -> Exchange:
        """Carry one request through the fault."""
        self._sent += 1
        body = json.loads(self._fault.read(request.body))
        try:
            asked = self._fault.ask(dict(body))
        except Declined as declined:
            error = {"message": declined.message, "type": "x", "param": None, "code": None}
            refused = await self._inner.send(replace(request, body=b"{}"))
            return self._written(refused, declined.status, json.dumps({"error": error}).encode())
        exchange = await self._inner.send(replace(request, body=json.dumps(asked).encode()))
        if exchange.status != 200:
            status, error = self._fault.decline(exchange.status or 0, json.loads(exchange.body))
            return self._written(exchange, status, json.dumps(error).encode())
        if asked.get("stream"):
            return self._restreamed(exchange, body)
        answer = self._fault.tell(body, json.loads(exchange.body))
        return self._written(exchange, 200, json.dumps(answer).encode())

    def _restreamed(self, exchange: Exchange, body: Body) -> Exchange:
        data = [event.data for event in parse_events(exchange.body).events]
        chunks = [json.loads(d) for d in data if d != "[DONE]"]
        told = [json.dumps(chunk) for chunk in self._fault.tell_stream(body, chunks)]
        done = ["[DONE]"] if "[DONE]" in data else []
        return self._written(
            exchange, 200, "".join(f"data: {d}\n\n" for d in [*told, *done]).encode()
        )

    def _written(self, exchange: Exchange, status: int, body: bytes) -> Exchange:
        arrivals = (Arrival(0.01, len(body)),)
        return replace(exchange, id=f"x{self._sent}", status=status, body=body, arrivals=arrivals)


async def found(check_id: str, fault: Fault, contract: str = "openai") -> Finding:
    """Judge the imagined endpoint with a fault by one check."""
    api = Api(Sharing(Faulty(fault, contract).send), load_contract(contract), MODEL, has_key=True)
    return await judge(check_by_id(check_id), api)


def check_by_id(check_id: str) -> Check:
    """Return a check by its id."""
    return next(check for check in all_checks() if check.id == check_id)
