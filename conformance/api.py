"""The client object that checks use to send requests to one endpoint.

Each check gets its own :class:`Api`, which records the exchanges made through it. They become the
evidence of the check's finding.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from conformance.contract import Contract
from conformance.evidence import note
from conformance.judgement import EndedEarly
from conformance.message import Message
from conformance.model import Credentials, Exchange, Request, Tier, TransportOptions
from conformance.protocol.request import COMPLETIONS
from conformance.protocol.response import Response
from conformance.protocol.trace import Trace
from conformance.tokenizer import Tokenizer
from conformance.transport.starting_line import at_once

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


PARSED_BYTES = 64 * 2**20
"""The estimated memory of all parsed responses that a run keeps; at real servers, standard runs
need 3 MiB and deep ones up to 46 MiB."""


class SharedResponses:
    """The responses of a run: each is parsed once, however many checks read it.

    If all together take more than ``most`` bytes, what was parsed of some is dropped; their bytes
    stay in the exchanges, and are parsed again if another check reads them.

    Args:
        most: the estimated memory of all parsed responses.
        has_flat_errors: whether the contract's document shows errors without an envelope.
    """

    def __init__(self, most: int = PARSED_BYTES, *, has_flat_errors: bool = False) -> None:
        self._left = most
        self._has_flat_errors = has_flat_errors
        # A response keeps its exchange, so no other exchange can have the same identity.
        self._read: dict[int, Response] = {}
        self._parsed: list[Response] = []
        # Passive checks read all responses in turn. Dropping the one that was read longest ago
        # would always drop the next; a random one leaves most of them for the next check.
        self._any = random.Random(0)  # noqa: S311 - not a secret

    def of(self, exchange: Exchange) -> Response:
        """Return the response of an exchange, the same one for the same exchange."""
        response = self._read.get(id(exchange))
        if response is None:
            features = features_of(exchange.request.body)
            response = Response(exchange, features, self._make_room, self._has_flat_errors)
            self._read[id(exchange)] = response
        return response

    def _make_room(self, new: Response) -> None:
        """Count a response that is about to be parsed, and drop what was parsed of others."""
        self._left -= new.parsed_bytes
        while self._left < 0 and self._parsed:
            place = self._any.randrange(len(self._parsed))
            self._parsed[place], self._parsed[-1] = self._parsed[-1], self._parsed[place]
            dropped = self._parsed.pop()
            self._left += dropped.parsed_bytes
            dropped.forget()
        self._parsed.append(new)


class Api:
    """One endpoint under one contract.

    Attributes:
        contract: the contract under test; limits and defaults come from it.
        model: the model id that requests contain.
        has_key: whether requests carry a real API key, not a placeholder, and no other secret. Only
            then can a check expect that requests without it are rejected.
        sends_key: whether requests carry a real API key in ``Authorization``, whatever else.
        secret_headers: the names of headers of every request whose values are secrets; one of them
            may be what the endpoint takes as a key.
        exchanges: the exchanges made through this object, in order.
        ended: why the run ended before a request of this object was judged, or None.
        retest_budget: requests for retesting intermittent differences; all checks share it.
        trace: the exchanges and findings of the run so far. Passive checks read all of it; checks
            that send requests see at most the findings of earlier stages.
        clock: returns the time in Unix seconds; for a replayed record, the time of recording.
        seed: the run's seed, from which all random request values are generated.
        pace: how many requests the run may send at once, and how many per second.
        tier: the tier of the run, which decides how many requests generated checks send.
        tokenizer: that of the model, as the user names it; None if none was named.
    """

    def __init__(
        self,
        transport: Transport,
        contract: Contract,
        model: str,
        *,
        has_key: bool = False,
        secret_headers: Sequence[str] = (),
        retest_budget: RetestBudget | None = None,
        trace: Trace = NOTHING_YET,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
        responses: SharedResponses | None = None,
        pace: TransportOptions = TransportOptions(),  # noqa: B008 - frozen
        tier: Tier = Tier.DEEP,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.contract = contract
        self.model = model
        self.has_key = has_key and not secret_headers
        self.sends_key = has_key
        self.secret_headers = tuple(secret_headers)
        self.exchanges: list[Exchange] = []
        self.ended: Message | None = None
        self.retest_budget = retest_budget or RetestBudget()
        self.trace = trace
        self.clock = clock
        self.seed = seed
        self.pace = pace
        self.tier = tier
        self.tokenizer = tokenizer
        self._transport = transport
        self._responses = responses

    @contextmanager
    def without_evidence(self) -> Iterator[None]:
        """Drop the exchanges of a block, which say nothing about this check, from its evidence."""
        kept = list(self.exchanges)
        try:
            yield
        finally:
            self.exchanges[:] = kept

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
            body: the request body; no parameter is added. One stop sequence is sent in an array
                where the contract knows only arrays.
            fresh: send the request even if an identical one has been sent.
            credentials: the API key to send.
            headers: additional headers; they replace others of the same name, and an empty value
                leaves that header out.
            read_events: close the connection after this many events; None reads the whole body.

        Raises:
            BudgetSpent: a limit of the run forbids the request.
        """
        raw = body if isinstance(body, bytes) else encode(_as_documented(body, self.contract))
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
            Inconclusive: the circuit breaker is open, because the endpoint stopped responding, or
                the run ended early.
        """
        try:
            exchange = await self._transport.send(request, fresh=fresh)
        except EndedEarly as early:
            self.ended = early.said
            if early.exchange is not None:
                self.exchanges.append(early.exchange)
            raise
        self.exchanges.append(exchange)
        note(exchange)
        if self._responses is not None:
            return self._responses.of(exchange)
        return Response(
            exchange,
            features_of(request.body),
            has_flat_errors=self.contract.has_flat_errors,
        )


def _as_documented(body: Mapping[str, Any], contract: Contract) -> Mapping[str, Any]:
    """Return a body with its stop sequence in the form that the contract documents."""
    stop = body.get("stop")
    if isinstance(stop, str) and contract.parameter("stop").types == ("array",):
        return {**body, "stop": [stop]}
    return body


async def burst(api: Api, requests: Sequence[Awaitable[T]]) -> list[T]:
    """Send requests so that the endpoint gets all of them at the same time, as far as allowed.

    Returns:
        Their results in the order given. All requests are awaited, even if one fails.

    Raises:
        Exception: the exception of the first request, in the order given, that failed.
    """
    with at_once(min(len(requests), api.pace.burst)):
        return await in_parallel(*requests)


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
