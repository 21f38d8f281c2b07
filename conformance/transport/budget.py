"""What a run may spend: the most that a request can cost is set aside before it is sent.

Afterwards the endpoint's own bill replaces the estimate. So a limit on tokens is never exceeded by
an endpoint that keeps to ``max_tokens``, and the estimates' slack comes back as answers arrive.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from conformance.judgement import BudgetSpent
from conformance.model import Cost, Exchange, Limits, Request
from conformance.protocol.sse import parse_events
from conformance.transport.coalesce import Sender

FALLBACK_TOKENS = 16
"""Taken for a request without ``max_tokens`` where the contract states no default."""

MAX_USAGE_TOKENS = 10**9
"""Tokens of one kind that a bill for one answer can mean. A larger number is no bill: added up,
such numbers outgrow what JSON can carry, and the run's own record could not be written."""

FILL_IN_MARKERS = 4
"""The tokens that mark prefix, suffix, middle and beginning where a text is to be filled in."""


class Budget:
    """The limits of a run, what it has spent, and what is set aside for requests under way."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.cost = Cost()
        self._reserved = 0
        self._settled = asyncio.Condition()

    async def reserve(self, tokens: int) -> None:
        """Set aside one request and its tokens, waiting for requests under way to free some.

        Raises:
            BudgetSpent: they do not fit, and nothing is under way that could make room.
        """
        async with self._settled:
            self._reserve_requests()
            while not self._fits(tokens):
                if not self._reserved:
                    raise BudgetSpent(
                        f"budget spent: the next request can cost {tokens} tokens,"
                        f" {self.cost.tokens} of {self.limits.tokens} are used"
                    )
                await self._settled.wait()
                self._reserve_requests()
            self.cost = _add(self.cost, requests=1)
            self._reserved += tokens

    def take_retry(self) -> bool:
        """Spend one more request on a retry, if the limit allows."""
        if self._out_of_requests():
            return False
        self.cost = _add(self.cost, requests=1)
        return True

    async def settle(self, reserved: int, spent: Cost) -> None:
        """Replace what was set aside by what it came to."""
        async with self._settled:
            self._reserved -= reserved
            self.cost = _add(
                self.cost,
                prompt_tokens=spent.prompt_tokens,
                completion_tokens=spent.completion_tokens,
                estimated_tokens=spent.estimated_tokens,
            )
            self._settled.notify_all()

    def _fits(self, tokens: int) -> bool:
        limit = self.limits.tokens
        return limit is None or self.cost.tokens + self._reserved + tokens <= limit

    def _out_of_requests(self) -> bool:
        limit = self.limits.requests
        return limit is not None and self.cost.requests >= limit

    def _reserve_requests(self) -> None:
        if self._out_of_requests():
            raise BudgetSpent(f"budget spent: {self.limits.requests} requests were allowed")


class Budgeted:
    """A sender that spends from a budget.

    It belongs behind the limit on requests in flight: only those that are really under way may hold
    a reservation, or a long queue would make a budget look spent.
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
            BudgetSpent: the request can cost more than is left.
        """
        bound = upper_bound(request, self._default_tokens)
        await self._budget.reserve(bound)
        spent = Cost(estimated_tokens=bound)
        try:
            exchange = await self._send(request)
            spent = cost_of(exchange, bound)
        finally:
            await self._budget.settle(bound, spent)
        return exchange


def upper_bound(request: Request, default_tokens: int | None = FALLBACK_TOKENS) -> int:
    """Say how many tokens a request can cost at most, prompts and choices together.

    No tokenizer makes more tokens of a text than it has bytes in UTF-8, plus one that may mark its
    beginning. A request that is closed after so many events is taken to cost a token for each.
    """
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return 0
    if not isinstance(body, dict):
        return 0
    prompts = _prompt_sizes(body.get("prompt"))
    suffix = body.get("suffix")
    around = 1 if suffix is None else FILL_IN_MARKERS + _bytes(str(suffix))
    read = sum(prompts) + around * len(prompts)
    choices = max(_count(body.get("n"), 1), _count(body.get("best_of"), 1)) * len(prompts)
    fallback = FALLBACK_TOKENS if default_tokens is None else default_tokens
    written = _count(body.get("max_tokens"), fallback) * choices
    if request.read_events is not None:
        # A limit of events bounds also what has no other: max_tokens left out, and no default.
        has_limit = "max_tokens" in body or default_tokens is not None
        written = min(written, request.read_events) if has_limit else request.read_events
    return read + written


def cost_of(exchange: Exchange, bound: int) -> Cost:
    """Read what an exchange cost: the endpoint's bill, or the bound where it sent none that can be.

    An error is free. A request that was never answered may have been served all the same.
    """
    if exchange.status is not None and exchange.status >= 300:
        return Cost()
    usage = stated_usage(exchange.body)
    if usage is None:
        return Cost(estimated_tokens=bound)
    prompt, completion = (
        _count(usage.get(name), 0) for name in ("prompt_tokens", "completion_tokens")
    )
    if max(prompt, completion) > MAX_USAGE_TOKENS:
        return Cost(estimated_tokens=bound)
    return Cost(prompt_tokens=prompt, completion_tokens=completion)


def stated_usage(body: bytes) -> Mapping[str, Any] | None:
    """Return the usage object of an answer, plain or streamed, or None where there is none."""
    texts = [body.decode("utf-8", errors="replace")]
    if not texts[0].lstrip().startswith("{"):
        texts = [event.data for event in reversed(parse_events(body).events)]
    for text in texts:
        # Most events have no usage at all; parsing them would cost more than all the rest.
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


def _prompt_sizes(prompt: object) -> list[int]:
    """The upper bound of each prompt's tokens; a flat array of integers is one prompt."""
    if isinstance(prompt, str):
        return [_bytes(prompt)]
    if not isinstance(prompt, list) or not prompt:
        return [0]
    if not any(isinstance(part, str | list) for part in prompt):
        return [len(prompt)]
    return [
        _bytes(p) if isinstance(p, str) else len(p) if isinstance(p, list) else 1 for p in prompt
    ]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogatepass"))


def _count(value: object, otherwise: int) -> int:
    usable = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if usable and isinstance(value, int) else otherwise


def _add(
    cost: Cost,
    requests: int = 0,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    estimated_tokens: int = 0,
) -> Cost:
    return Cost(
        cost.requests + requests,
        cost.prompt_tokens + prompt_tokens,
        cost.completion_tokens + completion_tokens,
        cost.estimated_tokens + estimated_tokens,
    )
