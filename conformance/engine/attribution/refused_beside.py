"""A refusal that is gone without other requests says nothing about its own parameter.

The check that sends refused requests again, alone, shows which of them are served then. What is
said of a parameter because of such a refusal, or of another one in the same words about the same
parameter, follows from it.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import Evidence, explained
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Verdict
from conformance.protocol.account import signature_of
from conformance.protocol.response import REFUSALS
from conformance.protocol.trace import RecordedExchange

SENT_ALONE = "isolation.refused-beside-others"
"""The check that sends refused requests again."""


def served_when_alone(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that the refused request of a finding is served alone.

    Args:
        evidence: all deviations of the run.
        finding: a deviation, or a refusal that is none.
    """
    refused = _refusals_of(evidence, finding)
    owner = next((one for one in evidence.deviations if one.id == SENT_ALONE), None)
    if owner is None or not refused:
        return None
    alone = {one.exchange.request for one in evidence.of(owner)}
    words = {
        signature_of(one.exchange)
        for other in (*evidence.deviations, *evidence.drawn)
        if other.subject == finding.subject
        for one in _refusals_of(evidence, other)
        if one.exchange.request in alone
    }
    left = [one for one in refused if one.exchange.request not in alone]
    if not left:
        return explained(owner, say("its requests are refused beside others and served alone"))
    if all(signature_of(one.exchange) in words for one in left):
        return explained(owner, say("such requests are refused beside others and served alone"))
    return None


def _refusals_of(evidence: Evidence, finding: Finding) -> list[RecordedExchange]:
    """Return the refusals that a finding shows, if it is about the refusal of a valid request."""
    if finding.effect is not Effect.REFUSED and finding.verdict is not Verdict.REFUSED:
        return []
    return [one for one in evidence.probes_of(finding) if one.exchange.status in REFUSALS]
