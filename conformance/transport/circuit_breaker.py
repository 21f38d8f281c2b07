"""Stop asking an endpoint that has gone away.

A server that hangs costs a time limit and two retries for every request. When several requests in a
row were given up without an answer, the ones behind them are not sent.
"""

from __future__ import annotations

from conformance.judgement import Inconclusive
from conformance.model import Exchange, Request
from conformance.transport.coalesce import Sender

MAX_UNANSWERED_REQUESTS = 5
"""Requests in a row that may go unanswered, each after all its attempts."""


class CircuitBreaker:
    """A sender that gives up for good; any answer, of whatever status, restores its patience."""

    def __init__(self, send: Sender, limit: int = MAX_UNANSWERED_REQUESTS) -> None:
        self._send = send
        self._limit = limit
        self._unanswered = 0
        self._error = ""

    async def send(self, request: Request) -> Exchange:
        """Send a request, while the endpoint seems to be there.

        Raises:
            Inconclusive: it does not.
        """
        if self._unanswered >= self._limit:
            raise Inconclusive(f"not sent, the endpoint has stopped responding: {self._error}")
        exchange = await self._send(request)
        if exchange.status is None:
            self._unanswered += 1
            self._error = str(exchange.fault)
        else:
            self._unanswered = 0
        return exchange
