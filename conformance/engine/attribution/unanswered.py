"""What could not be judged for want of a whole answer follows from the finding that tells of it.

A valid request that never gets a whole answer is a broken promise, which one check reports for all
requests of its kind; the others only say that they could not judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.engine.attribution.traits import Traits, traits_of
from conformance.message import as_message, say
from conformance.model import Explanation, Finding
from conformance.protocol.trace import RecordedExchange

NEVER = ("errors.good-input-no-server-fault", "errors.good-input-whole-response")
"""The requirements that valid requests are not left without a whole answer each time."""

UNREAD = frozenset(
    {
        "answered {status}: {body}",
        "no response: {fault}",
        "the response is incomplete: {fault}",
        "the stream ended with an error: {chunk}",
        "the stream is incomplete: {fault}",
    }
)
"""The ids of the messages of findings that had nothing to judge."""

FAULT, EVENT = "fault", "event"

Lack = str | int
"""What there is in place of a whole answer: a broken transfer, an error event, a status."""


def never_answered(
    evidence: Evidence, undecided: Iterable[Finding]
) -> Iterator[tuple[str, Explanation]]:
    """Yield the findings that lack the answers which no request of a kind gets, by id.

    Args:
        evidence: the findings and exchanges of the run.
        undecided: the findings that could not be judged.
    """
    owners = tuple(evidence.about(*NEVER))
    answered = (
        {one.exchange.request.body for one in evidence.everything if _lack_of(one) is None}
        if owners
        else set()
    )
    why = say("its requests never get a whole response")
    for finding in undecided:
        if as_message(finding.message).template not in UNREAD:
            continue
        broken = [one for one in evidence.of(finding) if _lack_of(one) is not None]
        # What was answered now and then is no broken promise.
        if not broken or any(one.exchange.request.body in answered for one in broken):
            continue
        able = (owner for owner in owners if _covers(evidence, owner, broken))
        cause = explained(next(able, None), why)
        if cause is not None:
            yield finding.id, cause


def _covers(evidence: Evidence, owner: Finding, broken: Iterable[RecordedExchange]) -> bool:
    """Return whether each exchange asks for what one of the owner's does, and lacks the same."""
    known = [one for one in evidence.of(owner) if _lack_of(one) is not None]
    return all(
        any(_lack_of(one) == _lack_of(other) and _asks(one) <= _asks(other) for one in known)
        for other in broken
    )


def _asks(exchange: RecordedExchange) -> Traits:
    request = request_of(exchange)
    return traits_of(request) if request is not None else frozenset()


def _lack_of(exchange: RecordedExchange) -> Lack | None:
    """Return what there is in place of a whole answer; None if there is one."""
    if exchange.exchange.fault is not None:
        return FAULT
    status = exchange.exchange.status
    if status is None or status >= 500:
        return status or FAULT
    if exchange.response.is_stream and any(map(_is_error, exchange.payloads)):
        return EVENT
    return None


def _is_error(payload: tuple[str, object]) -> bool:
    _, read = payload
    return isinstance(read, Mapping) and bool(read.get("error")) and not read.get("choices")
