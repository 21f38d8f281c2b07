"""Send requests to the comparison server and report its responses; errors do not end the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from conformance.engine.comparison.selection import request_for
from conformance.judgement import Judgement
from conformance.language import Text, same
from conformance.model import Comparison, Exchange, Target, TransportOptions
from conformance.record.events import ReferenceAnswered, ReferenceMissing, RunEvent
from conformance.transport.budget import Budget
from conformance.transport.coalesce import Sender
from conformance.transport.pipeline import open_pipeline

TIMEOUT_SECONDS = 120.0
"""Timeout for the whole comparison, including the start of the server."""

FATAL_STATUSES = frozenset({401, 402, 403, 404, 405})
"""Status codes that apply to all requests: wrong key, model or path."""

TOO_SLOW = Text(
    "the reference server did not finish within {seconds} seconds",
    "参考服务器未在 {seconds} 秒内完成响应",
)
SILENT = Text("the reference server does not respond: {fault}", "参考服务器没有响应：{fault}")
CLOSED = Text(
    "the reference server returned status {status}: check its URL, model and key",
    "参考服务器返回状态码 {status}：请检查其 URL、模型和密钥",
)

T = TypeVar("T")


class ReferenceMissingError(Exception):
    """The comparison server is unavailable; ``reason`` is why, in both languages."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reference:
    """A comparison server.

    Attributes:
        name: ``bundled``, or a base URL.
        open: starts or opens the server; may raise :class:`ReferenceMissingError`.
        secrets: the server's secrets, to be redacted.
        sender: sends the requests instead of the network.
    """

    name: str
    open: Callable[[], AbstractContextManager[Target]] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    sender: Sender | None = None


async def compare(
    reference: Reference,
    target: Target,
    exchanges: Sequence[Exchange],
    *,
    options: TransportOptions,
    budget: Budget,
    seed: int = 0,
    default_tokens: int | None = None,
    report: Callable[[RunEvent], None],
) -> None:
    """Send the requests of ``exchanges`` to the comparison server and report its responses.

    An unavailable server is reported as an event, not raised.

    Args:
        reference: the comparison server.
        target: the endpoint under test, whose secrets are redacted.
        exchanges: the exchanges to compare, see :func:`deciding`.
        options: concurrency, rate and timeout.
        budget: the comparison's own budget.
        seed: for the jitter between attempts.
        default_tokens: the contract's default of ``max_tokens``.
        report: called with each event.
    """
    if not exchanges:
        return
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), AsyncExitStack() as stack:
            other = await stack.enter_async_context(_in_a_thread(reference.open()))
            send = await stack.enter_async_context(
                open_pipeline(
                    other,
                    budget,
                    options,
                    seed=seed,
                    default_tokens=default_tokens,
                    # These responses can contain the target's secrets, too.
                    secrets=secrets_of(target),
                    sender=reference.sender,
                )
            )
            await _send_all(exchanges, other.model, send, report)
    except ReferenceMissingError as error:
        report(ReferenceMissing(error.reason))
    except TimeoutError:
        report(ReferenceMissing(TOO_SLOW.format(seconds=f"{TIMEOUT_SECONDS:.0f}")))


def secrets_of(target: Target) -> tuple[str, ...]:
    """Return a target's secrets, to be redacted from responses of another server."""
    return tuple(secret for secret in (target.api_key, *target.secrets) if secret)


async def _send_all(
    exchanges: Sequence[Exchange], model: str, send: Sender, report: Callable[[RunEvent], None]
) -> None:
    """Send the first request alone, and the others only if it succeeds.

    Raises:
        ReferenceMissingError: the response shows that no request can succeed.
    """
    numbers = count(1)

    async def send_one(exchange: Exchange) -> Exchange:
        response = await send(request_for(exchange.request, model))
        return replace(response, id=f"r{next(numbers):04d}")

    async def send_and_report(exchange: Exchange) -> None:
        # Without a response (budget spent, server gone) there is nothing to compare.
        with suppress(Judgement):
            response = await send_one(exchange)
            if response.status is not None:
                report(ReferenceAnswered(Comparison(exchange.id, response)))

    first, *others = exchanges
    try:
        response = await send_one(first)
    except Judgement as spent:
        raise ReferenceMissingError(same(str(spent))) from None
    trouble = _trouble_in(response)
    if trouble is not None:
        raise ReferenceMissingError(trouble)
    report(ReferenceAnswered(Comparison(first.id, response)))
    async with asyncio.TaskGroup() as tasks:
        for exchange in others:
            tasks.create_task(send_and_report(exchange))


def _trouble_in(response: Exchange) -> Text | None:
    """Return why no other request can succeed, or None."""
    if response.status is None:
        return SILENT.format(fault=response.fault)
    if response.status in FATAL_STATUSES or 300 <= response.status < 400:
        return CLOSED.format(status=response.status)
    return None


@asynccontextmanager
async def _in_a_thread(opened: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and exit in a thread, because starting a server takes about a second."""
    entering = asyncio.create_task(asyncio.to_thread(opened.__enter__))
    try:
        entered = await asyncio.shield(entering)
    except asyncio.CancelledError:
        # The thread cannot be cancelled, so the server is stopped once it has started.
        with suppress(ReferenceMissingError):
            await entering
            await asyncio.to_thread(opened.__exit__, None, None, None)
        raise
    try:
        yield entered
    finally:
        await asyncio.shield(asyncio.to_thread(opened.__exit__, None, None, None))
