"""What is said of tokens by their ids rests on the ids that an endpoint returns.

A check takes the token that is to end a text from the ids of another answer, and the reason that is
named for an end is right or wrong only where the text ends as it has to.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import Evidence, explained
from conformance.message import say
from conformance.model import Effect, Explanation, Finding

OWNER = "token-ids.are-the-tokens"
ENDS = "stop-token-ids.end-the-text"
REASON = "stop-reason.names-the-stop"
RESTS_ON_IDS = frozenset({"token-ids.name-tokens", ENDS, REASON})


def ids_are_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that ids name other tokens, or that another one ended the text."""
    if finding.place is not None or finding.effect is Effect.REFUSED:
        return None
    if finding.requirement in RESTS_ON_IDS and _compares_ids(evidence, finding):
        told = explained(
            next(evidence.about(OWNER), None), say("the ids that it rests on name other tokens")
        )
        if told is not None:
            return told
    requests = evidence.judged_requests(finding)
    by_id = bool(requests) and all(request.raw.get("stop_token_ids") for request in requests)
    if finding.requirement == REASON and by_id:
        owners = (one for one in evidence.about(ENDS) if one.place is None)
        return explained(next(owners, None), say("its texts end at another token"))
    return None


def _compares_ids(evidence: Evidence, finding: Finding) -> bool:
    """Return whether one of the answers that a finding rests on lists the ids of its tokens."""
    return any(
        request.raw.get("return_token_ids") is True for request in evidence.requests_of(finding)
    )
