"""A value that means none and is read as a value explains what is wrong only where it is sent.

A check of combinations sends null for parameters, or an empty stop sequence, and invariants read
whatever was answered. If all answers that a finding is about are to requests with the same
parameter so, and another finding says that this one changes the answer, they are no evidence
against anything else.
"""

from __future__ import annotations

import re

from conformance.engine.attribution.apart import EMPTY_STOP
from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.message import say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.trace import RecordedExchange

REQUIREMENT = re.compile(r"\.null-is-")
"""Part of each requirement that null is as good as no value."""

EMPTY: tuple[object, ...] = ("", [], [""])
"""Values of ``stop`` without a stop sequence."""


def null_is_read(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that no value is read as one, for what is wrong only in answers to it."""
    if _is_about_none(finding) or finding.effect is Effect.REFUSED:
        return None
    judged = evidence.judged_by(finding)
    for owner in evidence.deviations:
        if owner.effect is Effect.REFUSED or not _is_about_none(owner):
            continue
        if judged and all(_sends_none(one, owner) for one in judged):
            if owner.requirement == EMPTY_STOP:
                return explained(owner, say("it is wrong only where the stop sequence is empty"))
            return explained(
                owner, say("it is wrong only where {name} is null", name=owner.subject)
            )
    return None


def _is_about_none(finding: Finding) -> bool:
    is_null = REQUIREMENT.search(finding.requirement) is not None
    return is_null or finding.requirement == EMPTY_STOP


def _sends_none(exchange: RecordedExchange, owner: Finding) -> bool:
    """Return whether a request has the value without meaning that an owner is about."""
    request = request_of(exchange)
    if request is None or owner.subject not in request.raw:
        return False
    value = request.raw[owner.subject]
    return value in EMPTY if owner.requirement == EMPTY_STOP else value is None
