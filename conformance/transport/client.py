"""The HTTP client: sends one request and records bytes, arrival times and attempts.

It judges and hides nothing: redirects are not followed, bodies are not parsed, and incomplete
responses are kept. Secrets are redacted from everything that it returns.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Self

import httpx

from conformance import __version__
from conformance.message import say
from conformance.model import (
    WRONG_KEY,
    Attempt,
    Credentials,
    Exchange,
    Request,
    Target,
)
from conformance.protocol.account import is_final
from conformance.transport import errors as faults
from conformance.transport.address import join, trouble_with, without_login
from conformance.transport.answer_size import answer_limit, exact_reads
from conformance.transport.body import BodyLimits, Received, read_body
from conformance.transport.connections import (
    Connections,
    EnvironmentFaultError,
    IdleClosedError,
    surplus_of,
)
from conformance.transport.errors import TransportError
from conformance.transport.rate_limit import RateLimiter
from conformance.transport.redact import Redactor
from conformance.transport.retry import TRIES, wait_before_retry
from conformance.transport.starting_line import current_line
from conformance.transport.token_bound import FALLBACK_TOKENS

ATTEMPT_LIMIT = 2_000
"""Bytes kept of the body of an attempt that was retried."""

WAIT_LIMIT = 200
"""Characters kept of the ``Retry-After`` header of an attempt that was retried."""

HEADERS_LIMIT = 256
"""Maximum number of response headers. Servers behind several proxies send about 40."""

CONNECT_SECONDS = 10.0
"""Timeout for opening a connection, TLS included; part of an attempt's timeout."""

SILENCE_SECONDS = 20.0
"""Timeout between two reads of a body."""

Transport = httpx.AsyncBaseTransport


class Client:
    """Sends requests to one target; an async context manager.

    Args:
        target: the endpoint and the key.
        timeout: seconds for one attempt, from connecting to the last byte received.
        rate: maximum attempts per second; None is no limit.
        seed: for the jitter between attempts.
        may_retry: called before each retry, which costs a request; false prevents it.
        silence: timeout in seconds between two reads of a body.
        default_tokens: the contract's default of ``max_tokens``; None if it has none.
        body_limit: maximum bytes of a body; None derives it from the request.
        last_number: the number of the last exchange of earlier parts of the run.
        began: seconds since the start of the run.
        http: replaces the network in tests.
        clock, sleep: replace time in tests.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout: float = 60.0,
        rate: float | None = None,
        seed: int = 0,
        may_retry: Callable[[], bool] = lambda: True,
        silence: float = SILENCE_SECONDS,
        default_tokens: int | None = FALLBACK_TOKENS,
        body_limit: int | None = None,
        last_number: int = 0,
        began: float = 0.0,
        http: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._may_retry = may_retry
        self._silence = min(silence, timeout)
        self._default_tokens = default_tokens
        self._body_limit = body_limit
        self._clock = clock
        self._sleep = sleep
        self._rate_limiter = RateLimiter(rate, clock, sleep)
        self._rng = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._redactor = Redactor.of(target)
        self._where = without_login(target.base_url).rstrip("/")
        self._trouble = trouble_with(target.base_url)
        self._sent = last_number
        self._started = clock() - began
        self._http = self._connections(http)

    def _connections(self, http: Transport | None) -> httpx.AsyncClient:
        """Create the client of the HTTP library; ``http`` replaces its connections."""
        if http is None:
            try:
                http = Connections(self._target.base_url)
            except (EnvironmentFaultError, OSError) as error:
                self._trouble = self._trouble or (
                    say(
                        "invalid proxy or certificate settings in the environment: {why}",
                        why=error.said if isinstance(error, EnvironmentFaultError) else str(error),
                    )
                )
        return httpx.AsyncClient(
            transport=http,
            follow_redirects=False,
            # httpx has no timeout for a whole request, so `_attempt` sets one.
            timeout=httpx.Timeout(None, connect=min(CONNECT_SECONDS, self._timeout)),
            # The connections have read the environment, and know what not to take from it.
            trust_env=False,
            verify=False,  # noqa: S501 - without connections of its own it checks no certificates
            headers={"user-agent": f"completions-conformance/{__version__}"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, request: Request) -> Exchange:
        """Send a request, retry transient errors, and return the last attempt's response.

        Transport errors do not raise; they are in ``fault`` of the exchange.
        """
        self._sent += 1
        exchange_id = f"x{self._sent:04d}"
        attempts: list[Attempt] = []
        surplus, stale = b"", 0
        while True:
            await self._rate_limiter.turn()
            started = self._clock()
            response = await self._attempt(request, started)
            elapsed = self._clock() - started
            surplus = surplus or response.surplus
            error = self._redactor.message(response.fault.sentence) if response.fault else None
            since = started - self._started
            tried = Attempt(round(since, 6), round(elapsed, 6), response.status, error)
            if response.is_stale and stale < TRIES:
                # It costs nothing: nobody has answered, and only new connections are used now.
                attempts.append(tried)
                stale += 1
                continue
            wait = self._wait(len(attempts) + 1 - stale, response)
            if wait is None or not self._may_retry():
                attempts.append(tried)
                break
            attempts.append(self._with_answer(tried, response))
            await self._sleep(wait)
        body, arrivals = self._redactor.stream(bytes(response.body), response.arrivals)
        return Exchange(
            id=exchange_id,
            request=request,
            attempts=tuple(attempts),
            status=response.status,
            headers=self._redactor.headers(response.headers),
            body=body,
            arrivals=arrivals,
            elapsed=attempts[-1].elapsed,
            fault=error,
            surplus=self._redactor.body(surplus),
        )

    def _with_answer(self, tried: Attempt, response: Received) -> Attempt:
        """Add the Retry-After header and the beginning of the body of a retried response."""
        headers = self._redactor.headers(response.headers)
        wait = next((value for name, value in headers if name.lower() == "retry-after"), None)
        body = self._redactor.body(bytes(response.body))[:ATTEMPT_LIMIT]
        return replace(tried, retry_after=wait and wait[:WAIT_LIMIT], body=body)

    def _wait(self, tries: int, response: Received) -> float | None:
        if response.fault is None and response.status is not None:
            if is_final(response.status, response.headers, bytes(response.body)):
                return None
            return wait_before_retry(tries, response.status, response.headers, self._rng)
        if response.fault is not None and response.fault.passing:
            return wait_before_retry(tries, None, (), self._rng)
        return None

    async def _attempt(self, request: Request, started: float) -> Received:
        """Make one attempt; what arrived before a transport error is kept."""
        response = Received()
        if self._trouble is not None:
            response.fault = TransportError(self._trouble, passing=False)
            return response
        try:
            async with asyncio.timeout(self._timeout):
                await self._receive(request, started, response)
        except TimeoutError:
            late = faults.no_answer if response.status is None else faults.too_slow
            response.fault = late(self._where, self._timeout)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            put = faults.error_of if response.status is None else faults.incomplete_body
            response.fault = put(error, self._where)
            response.is_stale = isinstance(error, IdleClosedError)
        return response

    async def _receive(self, request: Request, started: float, result: Received) -> None:
        sent = self.headers(request)
        content: bytes | AsyncIterator[bytes] = request.body
        line = current_line.get()
        if line is not None and request.body:
            content = line.held(request.body)
            sent.append(("content-length", str(len(request.body))))
        body = self._http.build_request(
            request.method,
            join(self._target.base_url, request.path),
            content=content,
            headers=sent,
        )
        response = await self._http.send(body, stream=True)
        try:
            headers = response.headers.raw
            result.headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in headers[:HEADERS_LIMIT]
            )
            result.status = response.status_code
            if len(headers) > HEADERS_LIMIT:
                result.fault = faults.too_many_headers(self._where, len(headers), HEADERS_LIMIT)
                return
            await read_body(
                # Not decoded by the library, which inflates without a limit.
                response.aiter_raw(),
                result,
                self._limits_of(request),
                where=self._where,
                clock=lambda: self._clock() - started,
            )
        finally:
            await response.aclose()
            result.surplus = surplus_of(response)

    def _limits_of(self, request: Request) -> BodyLimits:
        size = self._body_limit
        if size is None:
            size = answer_limit(request, self._default_tokens)
        exact = exact_reads(request, self._default_tokens)
        return BodyLimits(size, exact, self._silence, request.read_events)

    def headers(self, request: Request) -> list[tuple[str, str]]:
        """Return the headers of a request and the default ones that it does not set.

        A header that the request sets to an empty value is left out.
        """
        given = {name.lower() for name, _ in request.headers}
        # Compression would change the arrival times of stream events.
        headers = {"accept-encoding": "identity"}
        if request.body:
            headers["content-type"] = "application/json"
        key = {
            Credentials.OWN: self._target.api_key,
            Credentials.WRONG: WRONG_KEY,
            Credentials.NONE: None,
        }[request.credentials]
        if key:
            headers["authorization"] = f"Bearer {key}"
        added = (*headers.items(), *self._target.headers)
        own = [(k, v) for k, v in request.headers if v]
        return [(k, v) for k, v in added if k.lower() not in given] + own
