"""A promise that is broken is told once, however many checks of it fail.

Several checks test one requirement: with other prompts, in streams, in every answer of a run. What
the first of them says, the others say again about other answers. So they are folded into its card,
as long as they say the same kind of thing: that a valid request is refused, that an invalid one is
served, or that an answer is wrong.

This is asked last, of findings that nothing else explains: two findings of one requirement may well
follow from two causes.
"""

from __future__ import annotations

from conformance.engine.attribution.evidence import (
    Evidence,
    explained,
    is_as_grave,
)
from conformance.engine.attribution.places import is_about_keys
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place

OF_MANY = (
    "errors.good-input-no-server-fault",
    "errors.good-input-whole-response",
    "errors.no-leak",
    "interactions.kept-together",
)
"""Requirements about all that a server does, which two causes may well break."""

OF_MEMBERS = "errors.four-members"
"""That an error has its members, which its schema says as well."""

INVALID = frozenset({Place.SERVED, Place.STATUS})
"""Places of findings about what became of an invalid request."""

WHY = say("another check of the same requirement fails, too")


def told_already(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the first finding that says the same promise is broken.

    Args:
        evidence: the findings that nothing explains so far.
        finding: one of them.
    """
    whole = finding.place is Place.SCHEMA and finding.requirement != OF_MEMBERS
    if finding.requirement in OF_MANY or whole:
        return None
    for owner in (*evidence.deviations, *evidence.drawn):
        if owner is finding:
            return None
        if owner.subject != finding.subject or not is_as_grave(owner, finding):
            continue
        if _is_same_promise(owner, finding) and not is_about_keys(evidence, owner, finding):
            return explained(owner, WHY)
    return None


def _is_same_promise(owner: Finding, finding: Finding) -> bool:
    same = owner.requirement == finding.requirement and owner.place is not Place.SCHEMA
    return same and _kind_of(owner) == _kind_of(finding)


def _kind_of(finding: Finding) -> tuple[bool, bool]:
    """Return whether a finding is about a refusal, and whether about an invalid request."""
    return finding.effect is Effect.REFUSED, finding.place in INVALID
