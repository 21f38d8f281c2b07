"""A request since which no other is served explains what is said of those after it.

Whatever is sent to an endpoint whose engine has stopped, valid or not, gets the same server error.
That deviates, but it is the first request with this answer alone that shows a cause.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import Evidence, explained
from conformance.message import say
from conformance.model import Exchange, Explanation, Finding
from conformance.protocol.account import signature_of

FEWEST = 8
"""Minimum requests with the same server error."""

MAX_ON_THEIR_WAY = 16
"""Limit of requests that are still served, because they were on their way."""

SERVED, SERVER_ERROR = 200, 500


def nothing_is_served_since(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the request since which all others get the same server error."""
    error, first = _end_of(evidence)
    judged = [one.exchange for one in evidence.judged_by(finding)]
    if first is None or not judged or any(signature_of(one) != error for one in judged):
        return None
    owner = next((one for one in evidence.deviations if _is_of(evidence, one, first)), None)
    return None if owner is finding else explained(owner, say("no request is served since then"))


def _is_of(evidence: Evidence, finding: Finding, exchange: Exchange) -> bool:
    """Return whether a finding is about one exchange alone."""
    return [one.exchange for one in evidence.judged_by(finding)] == [exchange]


def _end_of(evidence: Evidence) -> tuple[object, Exchange | None]:
    """Return the error that all requests get at the end, and the first exchange with it, if so."""
    every = [one.exchange for one in evidence.everything]
    served = [place for place, one in enumerate(every) if one.status == SERVED]
    ends = every[served[-1] + 1 :] if served else []
    known = {signature_of(one) for one in ends if (one.status or 0) >= SERVER_ERROR}
    if len(ends) < FEWEST or len(known) != 1:
        return None, None
    (error,) = known
    status = {one.status for one in ends if (one.status or 0) >= SERVER_ERROR}
    same = [one for one in every if one.status in status and signature_of(one) == error]
    # Of requests that are on their way together, the one that stops the engine is answered first.
    first = min(same, key=_first_answered)
    since = every[every.index(first) :]
    on_their_way = sum(one.status == SERVED for one in since)
    return (
        (error, first) if on_their_way < MAX_ON_THEIR_WAY and len(same) >= FEWEST else (None, None)
    )


def _first_answered(exchange: Exchange) -> float:
    attempt = exchange.attempts[0]
    return attempt.started + attempt.elapsed
