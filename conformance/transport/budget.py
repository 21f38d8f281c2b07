"""The budget of a run: each request reserves its worst-case cost before it is sent.

The list of models is free, so it is not counted; but none is sent beyond a limit.
When the response arrives, the reported usage replaces the reservation. So an endpoint that obeys
``max_tokens`` cannot exceed a token limit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from conformance.judgement import BudgetSpent
from conformance.message import say
from conformance.model import Cost, Exchange, Limits, Request
from conformance.protocol.cached_tokens import cached_tokens
from conformance.protocol.sse import parse_events
from conformance.transport.coalesce import Sender
from conformance.transport.token_bound import FALLBACK_TOKENS, count, upper_bound

MAX_USAGE_TOKENS = 10**9
"""Maximum plausible tokens of one kind. Larger values are ignored, because their sum could exceed
what JSON numbers represent, and the record could not be written."""


class Budget:
    """The limits of a run, its cost so far, and the reservations of requests in flight.

    Args:
        limits: the maximum requests and tokens.
        spent: what earlier parts of the run have cost.
    """

    def __init__(self, limits: Limits = Limits(), spent: Cost = Cost()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.cost = spent
        self._reserved = 0
        self._settled = asyncio.Condition()

    def lower(self, limits: Limits) -> None:
        """Allow no more than ``limits`` from now on; a limit that is lower already stays."""
        known = (
            (self.limits.requests, limits.requests),
            (self.limits.tokens, limits.tokens),
        )
        lowest = (min((n for n in pair if n is not None), default=None) for pair in known)
        self.limits = Limits(*lowest)

    async def reserve(self, tokens: int) -> None:
        """Spend one request and reserve tokens, waiting for requests in flight if necessary.

        Raises:
            BudgetSpent: the limits do not allow it, and no request in flight can free tokens.
        """
        async with self._settled:
            self.check_requests()
            while not self._fits(tokens):
                if not self._reserved:
                    raise BudgetSpent(
                        say(
                            "budget spent: the next request can cost {tokens} tokens, {gone} of "
                            "{limit} are used",
                            tokens=tokens,
                            gone=self.cost.tokens,
                            limit=self.limits.tokens,
                        )
                    )
                await self._settled.wait()
                self.check_requests()
            self.cost = plus(self.cost, Cost(requests=1))
            self._reserved += tokens

    def take_retry(self) -> bool:
        """Spend one request on a retry; return false if the limit does not allow it."""
        if self._out_of_requests():
            return False
        self.cost = plus(self.cost, Cost(requests=1))
        return True

    async def settle(self, reserved: int, spent: Cost) -> None:
        """Replace a reservation of ``reserved`` tokens by the actual cost."""
        async with self._settled:
            self._reserved -= reserved
            self.cost = plus(self.cost, spent)
            self._settled.notify_all()

    def _fits(self, tokens: int) -> bool:
        limit = self.limits.tokens
        return limit is None or self.cost.tokens + self._reserved + tokens <= limit

    def _out_of_requests(self) -> bool:
        limit = self.limits.requests
        return limit is not None and self.cost.requests >= limit

    def check_requests(self) -> None:
        """Check that one more request is allowed.

        Raises:
            BudgetSpent: it is not.
        """
        if self._out_of_requests():
            raise BudgetSpent(
                say("budget spent: {requests} requests were allowed", requests=self.limits.requests)
            )


class Budgeted:
    """A sender that spends from a budget.

    It must come after the concurrency limiter, so that queued requests hold no reservations;
    otherwise a long queue would exhaust the budget.
    """

    def __init__(
        self, send: Sender, budget: Budget, default_tokens: int | None = FALLBACK_TOKENS
    ) -> None:
        self._send = send
        self._budget = budget
        self._default_tokens = default_tokens

    async def send(self, request: Request) -> Exchange:
        """Send within the budget.

        Raises:
            BudgetSpent: the request could exceed a limit.
        """
        if is_free(request):
            self._budget.check_requests()
            return await self._send(request)
        bound = upper_bound(request, self._default_tokens)
        await self._budget.reserve(bound)
        spent = Cost(estimated_tokens=bound)
        try:
            exchange = await self._send(request)
            spent = cost_of(exchange, bound)
        finally:
            await self._budget.settle(bound, spent)
        return exchange


def is_free(request: Request) -> bool:
    """Return whether no endpoint charges for a request: it asks for the list of models."""
    return (request.method, request.path) == ("GET", "/models")


def cost_of(exchange: Exchange, bound: int) -> Cost:
    """Return the cost of an exchange: the reported usage, or ``bound`` if it is missing or absurd.

    An error costs nothing. A request without a response costs ``bound``, because the server may
    have processed it.
    """
    if exchange.status is not None and exchange.status >= 300:
        return Cost()
    usage = stated_usage(exchange.body)
    if usage is None:
        return Cost(estimated_tokens=bound)
    prompt, completion = (
        count(usage.get(name), 0) for name in ("prompt_tokens", "completion_tokens")
    )
    if max(prompt, completion) > MAX_USAGE_TOKENS:
        return Cost(estimated_tokens=bound)
    # A cache has no more than the prompt; what claims otherwise must not make a run cheaper.
    cached = cached_tokens(usage) or 0
    cached = cached if cached <= prompt else 0
    return Cost(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


def stated_usage(body: bytes) -> Mapping[str, Any] | None:
    """Return the usage object of a response or of a stream's last chunk with one, or None."""
    texts = [body.decode("utf-8", errors="replace")]
    if not texts[0].lstrip().startswith("{"):
        texts = [event.data for event in reversed(parse_events(body).events)]
    for text in texts:
        # Most events have no usage, and parsing them all would be slow.
        if '"usage"' not in text:
            continue
        try:
            response = json.loads(text)
        except (ValueError, RecursionError):
            continue
        usage = response.get("usage") if isinstance(response, dict) else None
        if isinstance(usage, dict):
            return usage
    return None


def plus(cost: Cost, more: Cost) -> Cost:
    """Return the cost of two things together."""
    return Cost(
        cost.requests + more.requests,
        cost.prompt_tokens + more.prompt_tokens,
        cost.completion_tokens + more.completion_tokens,
        cost.estimated_tokens + more.estimated_tokens,
        cost.cached_tokens + more.cached_tokens,
    )
