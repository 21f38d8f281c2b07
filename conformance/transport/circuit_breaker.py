"""A circuit breaker: stop sending requests to an endpoint that no longer responds.

Each request to a server that hangs takes three timeouts, with its retries. After several
consecutive requests without a response, no more are sent.
"""

from __future__ import annotations

from conformance.judgement import Inconclusive
from conformance.message import Message, say
from conformance.model import Exchange, Request
from conformance.transport.coalesce import Sender

MAX_UNANSWERED_REQUESTS = 5
"""Consecutive requests without a response, each after all its attempts, that open the circuit."""


class CircuitBreaker:
    """A sender that stops permanently after ``limit`` consecutive requests without a response.

    A response of any status resets the count.
    """

    def __init__(self, send: Sender, limit: int = MAX_UNANSWERED_REQUESTS) -> None:
        self._send = send
        self._limit = limit
        self._unanswered = 0
        self._error: Message | None = None

    async def send(self, request: Request) -> Exchange:
        """Send a request unless the circuit is open.

        Raises:
            Inconclusive: the circuit is open.
        """
        if self._unanswered >= self._limit:
            raise Inconclusive(
                say("not sent, the endpoint has stopped responding: {fault}", fault=self._error)
            )
        exchange = await self._send(request)
        if exchange.status is None:
            self._unanswered += 1
            self._error = exchange.fault
        else:
            self._unanswered = 0
        return exchange
