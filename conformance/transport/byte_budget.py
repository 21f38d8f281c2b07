"""The byte budget of a run: what all its answers together may cost to keep.

A record has every answer, and so has the memory of a run while passive checks need them. The limit
of one answer is not enough: hundreds of answers just below it would be gigabytes.
"""

from __future__ import annotations

import asyncio

from conformance.judgement import Inconclusive
from conformance.message import say
from conformance.model import Exchange, Request
from conformance.transport.answer_size import answer_limit, kept_bytes
from conformance.transport.coalesce import Sender
from conformance.transport.token_bound import FALLBACK_TOKENS

RUN_BYTES = 32 * 2**20
"""Maximum bytes that all answers of a run cost to keep. A deep run needs about 6 MB against servers
that conform. A record has at most 4/3 of this, and its findings."""


class ByteBudget:
    """A sender whose answers together cost at most ``limit`` bytes, as :func:`kept_bytes` counts.

    Each request reserves the limit of its answer first, and waits for requests in flight if that
    does not fit. Only headers and attempts, some 100 KB, can exceed a reservation.
    """

    def __init__(
        self,
        send: Sender,
        default_tokens: int | None = FALLBACK_TOKENS,
        limit: int = RUN_BYTES,
    ) -> None:
        self._send = send
        self._default_tokens = default_tokens
        self._limit = limit
        self._kept = 0
        self._reserved = 0
        self._settled = asyncio.Condition()

    async def send(self, request: Request) -> Exchange:
        """Send a request if its answer can be kept.

        Raises:
            Inconclusive: it could exceed the limit. The endpoint is the cause, not the user, so
                this is not :class:`~conformance.judgement.BudgetSpent`, which leaves a run
                conforming.
        """
        reserved = answer_limit(request, self._default_tokens)
        await self._reserve(reserved)
        kept = 0
        try:
            exchange = await self._send(request)
            kept = kept_bytes(exchange)
        finally:
            async with self._settled:
                self._reserved -= reserved
                self._kept += kept
                self._settled.notify_all()
        return exchange

    async def _reserve(self, size: int) -> None:
        async with self._settled:
            while self._kept + self._reserved + size > self._limit:
                if not self._reserved:
                    raise Inconclusive(
                        say(
                            "not sent, the responses of the endpoint are too large: {gone} MiB of "
                            "at most {limit} MiB in one run are received, and the next can have "
                            "{size} MiB",
                            gone=_mib(self._kept),
                            limit=_mib(self._limit),
                            size=_mib(size),
                        )
                    )
                await self._settled.wait()
            self._reserved += size


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f}"
