"""The client object that checks use to send requests to one endpoint.

Each check gets its own :class:`Api`, which records the exchanges made through it. They become the
evidence of the check's finding.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from conformance.contract import Contract
from conformance.model import Credentials, Exchange, Request, Tier
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.response import Response
from conformance.protocol.trace import Trace

T = TypeVar("T")

NOTHING_YET = Trace()


class Transport(Protocol):
    """Sends requests: the network, a fake endpoint or a record."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Send one request.

        Identical requests share one exchange, unless ``fresh`` is true.
        """


class RetestBudget:
    """The number of requests that a run may still spend on retesting intermittent differences."""

    def __init__(self, requests: int = 120) -> None:
        self._left = requests

    def take(self, requests: int) -> bool:
        """Spend ``requests`` and return true; return false, spending nothing, if fewer are left."""
        if self._left < requests:
            return False
        self._left -= requests
        return True


PARSED_BYTES = {Tier.SMOKE: 16 * 2**20, Tier.STANDARD: 16 * 2**20, Tier.DEEP: 64 * 2**20}
"""The estimated memory of the parsed responses that a run keeps; at real servers, standard runs
need 3 MiB and deep ones up to 46 MiB."""


class SharedResponses:
    """The responses of a run: each is parsed once, however many checks read it.

    Beyond ``most`` bytes, what was parsed of the responses that were not read for longest is
    dropped; their bytes stay in the exchanges, and are parsed again if another check reads them.

    Args:
        most: the estimated memory of all parsed responses.
    """

    def __init__(self, most: int = PARSED_BYTES[Tier.DEEP]) -> None:
        self._most = most
        self._weight = 0
        # A response keeps its exchange, so no other exchange can have the same identity.
        self._read: dict[int, tuple[Response, int]] = {}

    def of(self, exchange: Exchange) -> Response:
        """Return the response of an exchange, the same one until it is dropped."""
        kept = self._read.pop(id(exchange), None)
        if kept is None:
            kept = (
                Response(exchange, features_of(exchange.request.body)),
                parsed_size(exchange.body),
            )
            self._weight += kept[1]
        # Dictionaries keep the order of insertion: the first entry is the one read longest ago.
        self._read[id(exchange)] = kept
        while self._weight > self._most and len(self._read) > 1:
            dropped, weight = self._read.pop(next(iter(self._read)))
            self._weight -= weight
            # A check that still holds it would otherwise keep what the run no longer counts.
            dropped.forget()
        return kept[0]


def parsed_size(body: bytes) -> int:
    """Estimate the memory of a parsed body from its length and its values, rather too high."""
    objects, others = body.count(b"{"), sum(map(body.count, (b",", b"[", b"\n")))
    # One character beyond the basic plane makes each of a text take four bytes, also in parts of
    # it. In a short body that does not matter.
    width = 2 if len(body) < SHORT else 8
    return 1_000 + width * len(body) + 180 * objects + 40 * others


SHORT = 2**19


class Api:
    """One endpoint under one contract.

    Attributes:
        contract: the contract under test; limits and defaults come from it.
        model: the model id that requests contain.
        has_key: whether requests carry a real API key, not a placeholder. Only then can a check
            expect that requests without it are rejected.
        exchanges: the exchanges made through this object, in order.
        retest_budget: requests for retesting intermittent differences; all checks share it.
        trace: the exchanges and findings of the run so far. Passive checks read all of it; checks
            that send requests see at most the findings of earlier stages.
        clock: returns the time in Unix seconds; for a replayed record, the time of recording.
        seed: the run's seed, from which all random request values are generated.
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
        """Request a non-streaming completion.

        Args:
            fresh: send the request even if an identical one has been sent.
            body: the request's parameters; ``model`` defaults to :attr:`model`.

        Raises:
            BudgetSpent: a limit of the run forbids the request.
        """
        return await self.post({"model": self.model, **body}, fresh=fresh)

    async def stream(
        self, *, fresh: bool = False, read_events: int | None = None, **body: Any
    ) -> Response:
        """Request a streamed completion.

        Args:
            fresh: send the request even if an identical one has been sent.
            read_events: close the connection after this many events; None reads the whole stream.
            body: the request's parameters; ``model`` defaults to :attr:`model`.

        Raises:
            BudgetSpent: a limit of the run forbids the request.
        """
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
        """Post a body: a mapping is sent as JSON, bytes are sent unchanged.

        Args:
            body: the request body; no parameter is added.
            fresh: send the request even if an identical one has been sent.
            credentials: the API key to send.
            headers: additional headers; they replace the suite's own of the same name.
            read_events: close the connection after this many events; None reads the whole body.

        Raises:
            BudgetSpent: a limit of the run forbids the request.
        """
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
        """Send any request to any path below the base URL.

        Raises:
            BudgetSpent: a limit of the run forbids the request.
            Inconclusive: the circuit breaker is open, because the endpoint stopped responding.
        """
        exchange = await self._transport.send(request, fresh=fresh)
        self.exchanges.append(exchange)
        if self._responses is not None:
            return self._responses.of(exchange)
        return Response(exchange, features_of(request.body))


async def in_parallel(*requests: Awaitable[T]) -> list[T]:
    """Send independent requests concurrently and return their results in the order given.

    All requests are awaited, even if one fails.

    Raises:
        Exception: the exception of the first request, in the order given, that failed.
    """
    responses = await asyncio.gather(*requests, return_exceptions=True)
    for response in responses:
        if isinstance(response, BaseException):
            raise response
    return [response for response in responses if not isinstance(response, BaseException)]


def encode(body: Mapping[str, Any]) -> bytes:
    r"""Encode a body as compact UTF-8 JSON, keeping the order of its keys.

    UTF-8 has no lone surrogates, which an endpoint's own text may contain; a body with one is
    written in ASCII, as ``\ud800``.
    """
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def features_of(body: bytes) -> frozenset[str]:
    """Return the names of the parameters that a request body sets to anything but null.

    A prompt that is not a string adds ``prompt:batch`` or ``prompt:tokens``, because a server may
    serve strings and reject the other forms. A body that is not a JSON object has no features.
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
