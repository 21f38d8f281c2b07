"""Why an exchange has no whole answer, as far as it is the endpoint's doing; pure.

A whole answer is a completion or a rejection that arrived to its end. What keeps one from arriving
can also be ours or the network's: no route to the host, a refused connection, a proxy, our own
limits. Those say nothing about the endpoint's treatment of a request and are no reason here; nor
are rate limits and lost accounts, which concern every request alike.

A record keeps a transport error as one sentence, so the kind is read from its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformance.judgement import Failure
from conformance.message import Message, say
from conformance.model import Attempt, Exchange
from conformance.protocol.account import cause_of, is_rate_limit
from conformance.protocol.response import Response

SERVER_ERROR = 500
"""The lowest status of a server error (RFC 9110, section 15.6)."""

TIMED_OUT = 408
"""The server waited too long for a request that was sent at once (RFC 9110, section 15.5.9)."""

FAULTS: Mapping[str, Message] = {
    "timeout: no response from": say("no response in time"),
    "timeout: the response from": say("a response without an end"),
    "incomplete response from": say("a response that breaks off"),
    "invalid HTTP response from": say("a closed connection or invalid HTTP"),
    "cannot decode the response from": say("a body that cannot be decoded"),
}
"""The beginnings of transport errors that an endpoint causes, and how each is described."""

LOST = re.compile(r"connection to \S+ lost: ")
STALLED = re.compile(r"timeout: \S+ sent nothing for ")
WAITED = re.compile(r" (?:within|after|for) ([0-9.]+(?:e[+-]?[0-9]+)?) s\b")

PROXY = " the proxy "
"""Is in the sentence if the proxy on the way is what failed."""

ERROR_EVENT = say("an error event in the stream")


def why_unserved(exchange: Exchange, response: Response, model: str) -> Message | None:
    """Return why an exchange has no whole answer; None if it has one, or nothing can be said.

    Args:
        exchange: the request and what arrived.
        response: the same exchange, parsed.
        model: the model of the run.
    """
    if exchange.fault is not None:
        return of_fault(exchange.fault)
    status = exchange.status
    if status is None or is_rate_limit_of(exchange, model):
        return None
    if status >= SERVER_ERROR or status == TIMED_OUT:
        return say("status {status}", status=status)
    if status == 200 and response.is_stream and _has_error_event(response):
        return ERROR_EVENT
    return None


def is_whole(exchange: Exchange, response: Response) -> bool:
    """Return whether an exchange has a whole answer that serves the request."""
    return (
        exchange.fault is None
        and exchange.status == 200
        and not (response.is_stream and _has_error_event(response))
    )


def is_rate_limit_of(exchange: Exchange, model: str) -> bool:
    """Return whether an answer is about the account or the rate, whatever the request was."""
    if exchange.status == 200:
        text = exchange.body[-2_000:].decode("utf-8", errors="replace").lower()
        return '"error"' in text and any(word in text for word in ("rate limit", "rate_limit"))
    return is_rate_limit(exchange) or cause_of(exchange, model) is not None


def of_fault(sentence: str) -> Message | None:
    """Return how a transport error is described if an endpoint causes it; None for all others."""
    if PROXY in sentence:
        return None
    described = (words for start, words in FAULTS.items() if sentence.startswith(start))
    found = next(described, None)
    if found is None and LOST.match(sentence):
        return say("a connection that is closed")
    if found is None and STALLED.match(sentence):
        return say("a response without an end")
    return found


def seconds_waited(sentence: str) -> float | None:
    """Return after how many seconds the suite gave up; None if that is not why it did."""
    if not sentence.startswith("timeout: "):
        return None
    found = WAITED.search(sentence)
    return float(found[1]) if found else None


def failed_attempts(exchange: Exchange) -> tuple[Attempt, ...]:
    """Return the attempts without a whole answer for which the endpoint can be the reason."""
    return tuple(
        attempt
        for attempt in exchange.attempts[:-1]
        if (attempt.fault is not None and of_fault(attempt.fault) is not None)
        or (attempt.fault is None and (attempt.status or 0) >= SERVER_ERROR)
    )


def _has_error_event(response: Response) -> bool:
    return any(
        isinstance(read, dict) and read.get("error") and not read.get("choices")
        for _, read in response.payloads
        if not isinstance(read, Failure)
    )
