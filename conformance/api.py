"""The object that checks are handed: one endpoint, asked in the language of the contract.

Each check gets an :class:`Api` of its own, which remembers the exchanges made through it, so that a
finding points at its evidence without the check having to say so.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from conformance.contract import Contract
from conformance.model import Credentials, Exchange, Request
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.response import Response
from conformance.protocol.trace import Trace

T = TypeVar("T")

NOTHING_YET = Trace()


class Transport(Protocol):
    """Whatever carries a request to the endpoint and brings back an exchange."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Send one request. Identical requests share one exchange unless ``fresh`` is asked for."""


class RetestBudget:
    """How many requests a run may still spend on differences that come and go."""

    def __init__(self, requests: int = 120) -> None:
        self._left = requests

    def take(self, requests: int) -> bool:
        """Spend so many requests, if there are as many left."""
        if self._left < requests:
            return False
        self._left -= requests
        return True


class SharedResponses:
    """The responses of a run by their exchanges: each is read once, however many checks read it."""

    def __init__(self) -> None:
        self._read: dict[int, Response] = {}

    def of(self, exchange: Exchange) -> Response:
        """Return the response of an exchange, the same one for the same exchange."""
        # A response keeps its exchange, so no other exchange can have the same identity.
        response = self._read.get(id(exchange))
        if response is None:
            response = Response(exchange, features_of(exchange.request.body))
            self._read[id(exchange)] = response
        return response


class Api:
    """One endpoint under one contract.

    Attributes:
        contract: what the endpoint is held to; limits and defaults come from here.
        model: the model id that requests name.
        has_key: whether requests present a key that is worth one, so that others can be told from
            those that have none.
        exchanges: what went over the wire through this object, in order.
        retest_budget: what the run may spend on differences that come and go; all checks share it.
        trace: what all checks that ask left behind, for those that ask nothing; empty before.
        clock: tells the time in Unix seconds; of a record that is judged again, the time back then.
        seed: the run's own; whatever is drawn for a request is drawn from it, so that it repeats.
    """

    def __init__(
        self,
        transport: Transport,
        contract: Contract,
        model: str,
        *,
        has_key: bool = False,
        retest_budget: RetestBudget | None = None,
        trace: Trace = NOTHING_YET,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
        responses: SharedResponses | None = None,
    ) -> None:
        self.contract = contract
        self.model = model
        self.has_key = has_key
        self.exchanges: list[Exchange] = []
        self.retest_budget = retest_budget or RetestBudget()
        self.trace = trace
        self.clock = clock
        self.seed = seed
        self._transport = transport
        self._responses = responses

    async def complete(self, *, fresh: bool = False, **body: Any) -> Response:
        """Ask for a plain completion; the model is filled in unless the body names one."""
        return await self.post({"model": self.model, **body}, fresh=fresh)

    async def stream(
        self, *, fresh: bool = False, read_events: int | None = None, **body: Any
    ) -> Response:
        """Ask for a streamed completion; ``read_events`` hangs up after that many events."""
        request = {"model": self.model, "stream": True, **body}
        return await self.post(request, fresh=fresh, read_events=read_events)

    async def post(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        fresh: bool = False,
        credentials: Credentials = Credentials.OWN,
        headers: Mapping[str, str] | None = None,
        read_events: int | None = None,
    ) -> Response:
        """Post a body just as it is: a mapping is sent as JSON, bytes are sent untouched."""
        raw = body if isinstance(body, bytes) else encode(body)
        request = Request(
            "POST",
            COMPLETIONS,
            raw,
            headers=tuple((headers or {}).items()),
            credentials=credentials,
            read_events=read_events,
        )
        return await self.send(request, fresh=fresh)

    async def send(self, request: Request, *, fresh: bool = False) -> Response:
        """Send any request, on any path below the base URL."""
        exchange = await self._transport.send(request, fresh=fresh)
        self.exchanges.append(exchange)
        if self._responses is not None:
            return self._responses.of(exchange)
        return Response(exchange, features_of(request.body))


async def in_parallel(*requests: Awaitable[T]) -> list[T]:
    """Wait for requests that do not depend on each other, all sent at the same time.

    Raises:
        Exception: what the first of them raised that raised anything, in the order given.
    """
    responses = await asyncio.gather(*requests, return_exceptions=True)
    for response in responses:
        if isinstance(response, BaseException):
            raise response
    return [response for response in responses if not isinstance(response, BaseException)]


def encode(body: Mapping[str, Any]) -> bytes:
    """Write a body as JSON, in UTF-8 and with its keys in the order given."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def features_of(body: bytes) -> frozenset[str]:
    """Name the parameters that a body uses.

    A prompt that is no string is the feature ``prompt:batch`` or ``prompt:tokens`` beside
    ``prompt``, because a server may serve strings and decline the other forms.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(request, dict):
        return frozenset()
    features = {name for name, value in request.items() if value is not None}
    prompt = request.get("prompt")
    if isinstance(prompt, list):
        flat = [inner for part in prompt for inner in (part if isinstance(part, list) else [part])]
        if any(isinstance(part, int) for part in flat):
            features.add("prompt:tokens")
        if any(isinstance(part, str | list) for part in prompt):
            features.add("prompt:batch")
    return frozenset(features)
