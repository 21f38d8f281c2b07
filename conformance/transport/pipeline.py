"""The pipeline of a request: concurrency limiter, account guard, circuit breaker, budgets, client.

The checks of a run, the comparison server and pytest test functions all send through it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from conformance.model import Target, TransportOptions
from conformance.transport import gate
from conformance.transport.account_guard import AccountGuard
from conformance.transport.budget import Budget, Budgeted
from conformance.transport.byte_budget import ByteBudget
from conformance.transport.circuit_breaker import CircuitBreaker
from conformance.transport.client import Client
from conformance.transport.coalesce import Sender
from conformance.transport.rate_limit import ConcurrencyLimiter, Slots


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
    guard: AccountGuard | None = None,
    slots: Slots | None = None,
    last_number: int = 0,
    began: float = 0.0,
) -> AsyncIterator[Sender]:
    """Open a pipeline to a target; its connections are closed when the block ends.

    The sender raises :class:`~conformance.judgement.BudgetSpent` if a limit forbids a request, and
    :class:`~conformance.judgement.Inconclusive` if the circuit breaker is open or the
    responses so far are so large that no more can be kept.

    Args:
        target: the endpoint and the key.
        budget: the budget of all requests, including retries.
        options: concurrency, rate and timeout.
        seed: for the jitter between attempts.
        default_tokens: the default of ``max_tokens``; None if the contract has none.
        secrets: secrets to redact besides those of the target and of the process.
        sender: sends the requests instead of the network; limits still apply.
        guard: ends the run if the account, the route or a gatekeeper refuses every request.
        slots: the requests that may be in flight, for a caller who changes their number; by default
            ``options.concurrency``.
        last_number: the number of the last exchange of earlier parts of the run.
        began: seconds since the start of the run.
    """
    async with AsyncExitStack() as stack:
        if sender is None:
            client = Client(
                replace(target, secrets=(*target.secrets, *secrets, *gate.known())),
                timeout=options.timeout,
                rate=options.rate,
                seed=seed,
                may_retry=budget.take_retry,
                default_tokens=default_tokens,
                last_number=last_number,
                began=began,
            )
            await stack.enter_async_context(client)
            # Only what comes from the network can be too large.
            send = ByteBudget(
                Budgeted(client.send, budget, default_tokens).send, default_tokens
            ).send
        else:
            send = Budgeted(sender, budget, default_tokens).send
        # The budgets come last, so that queued requests hold no reservations.
        send = CircuitBreaker(send).send
        # In front of the budgets, which what it sends is part of.
        guarded = send if guard is None else guard.around(send)
        yield ConcurrencyLimiter(guarded, slots or Slots(options.concurrency)).send
