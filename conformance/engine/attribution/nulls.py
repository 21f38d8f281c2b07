"""A null that is read as a value explains what is wrong only where it is sent.

A check of combinations sends null for parameters, and invariants read whatever was answered. If all
answers that a finding is about are to requests with the same parameter of null, and another finding
says that this one changes the answer, they are no evidence against anything else.
"""

from __future__ import annotations

import re

from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.message import say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.trace import RecordedExchange

REQUIREMENT = re.compile(r"\.null-is-")
"""Part of each requirement that null is as good as no value."""


def null_is_read(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that a null is read, for what is wrong only in answers to it."""
    if REQUIREMENT.search(finding.requirement) or finding.effect is Effect.REFUSED:
        return None
    judged = evidence.judged_by(finding)
    for owner in evidence.deviations:
        if owner.effect is Effect.REFUSED or not REQUIREMENT.search(owner.requirement):
            continue
        if judged and all(_sends_null(one, owner.subject) for one in judged):
            return explained(
                owner, say("it is wrong only where {name} is null", name=owner.subject)
            )
    return None


def _sends_null(exchange: RecordedExchange, name: str) -> bool:
    request = request_of(exchange)
    return request is not None and name in request.raw and request.raw[name] is None
