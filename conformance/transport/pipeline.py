"""The way of a request to an endpoint: in line for a slot, then refused if money or hope is gone.

Whoever asks an endpoint opens it the same way: the checks of a run, the comparison with a
reference, test functions inside pytest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from conformance.model import Target, TransportOptions
from conformance.transport.budget import Budget, Budgeted
from conformance.transport.circuit_breaker import CircuitBreaker
from conformance.transport.client import Client
from conformance.transport.coalesce import Sender
from conformance.transport.rate_limit import ConcurrencyLimiter


@asynccontextmanager
async def open_pipeline(
    target: Target,
    budget: Budget,
    options: TransportOptions,
    *,
    seed: int = 0,
    default_tokens: int | None = None,
    secrets: Sequence[str] = (),
    sender: Sender | None = None,
) -> AsyncIterator[Sender]:
    """Open the way to a target, and close its connections when the block ends.

    Args:
        target: the endpoint and the key.
        budget: what every request is paid from, retries too.
        options: how fast and how patiently to ask.
        seed: for the jitter between attempts.
        default_tokens: what a request without ``max_tokens`` can cost.
        secrets: what answers may not show beside what the target itself keeps secret.
        sender: carries the requests instead of the network; limits still apply.
    """
    async with AsyncExitStack() as stack:
        if sender is None:
            client = Client(
                replace(target, secrets=(*target.secrets, *secrets)),
                timeout=options.timeout,
                rate=options.rate,
                seed=seed,
                may_retry=budget.take_retry,
            )
            sender = (await stack.enter_async_context(client)).send
        # Only what gets through the line and the breaker may hold a reservation.
        budgeted = Budgeted(sender, budget, default_tokens)
        yield ConcurrencyLimiter(CircuitBreaker(budgeted.send).send, options.concurrency).send
