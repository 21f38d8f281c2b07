"""What a check could not read is reported by the check that is about it.

A check reads an answer from the outside in: its status, its body, its choices, their index, and
then the member that it is about. What it could not read is the finding's
:class:`~conformance.model.Place`, and then its sentence says nothing about its own requirement. If
no check that owns the place accuses, the finding is kept, because somebody has to tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.engine.attribution.evidence import (
    Evidence,
    any_several,
    any_streams,
    explained,
    is_invariant,
)
from conformance.message import as_message, say
from conformance.model import Explanation, Finding, Place

_TRANSFER = ("headers.content-encoding",)

OWNERS: Mapping[Place, tuple[str, ...]] = {
    Place.STATUS: (
        "errors.never-as-success",
        "errors.bad-input-no-server-fault",
        "errors.bad-input-is-400",
        "errors.stream-refused-as-json",
    ),
    Place.BODY: (
        *_TRANSFER,
        "envelope.strict-json",
        "headers.content-type",
        "errors.never-as-success",
        "stream.plain-unless-asked",
    ),
    Place.STREAM: (
        *_TRANSFER,
        "stream.true-streams",
        "streaming.content-type",
        "streaming.framing",
    ),
    Place.EVENTS: (
        *_TRANSFER,
        "headers.content-type",
        "stream.plain-unless-asked",
        "streaming.content-type",
        "streaming.framing",
        "streaming.chunk-shape",
        "envelope.strict-json",
        "streaming.error-framed",
    ),
    Place.ERROR: (
        "errors.never-as-success",
        "errors.envelope",
        "errors.server-fault-envelope",
        "envelope.strict-json",
        "errors.stream-refused-as-json",
    ),
    Place.MESSAGE: ("errors.envelope", "errors.four-members"),
    Place.CHOICES: (
        "envelope.choices",
        "n.default-one",
        "prompt.tokens",
        "prompt.strings",
        "prompt.token-arrays",
        "n.count",
    ),
    Place.INDEX: ("index.each-once",),
    Place.TEXT: ("text.present",),
    Place.ECHO: (
        "echo.prompt-then-completion",
        "echo.own-prompt-in-batch",
        "max-tokens.zero-with-echo",
    ),
    Place.FINISH: ("finish-reason.known-value",),
    Place.LOGPROBS: ("logprobs.returned", "echo.logprobs-cover-prompt"),
    Place.ARRAYS: (
        "logprobs.returned",
        "logprobs-arrays.four-parallel",
        "logprobs.alternatives-count",
    ),
    Place.TOKENS: ("logprobs-arrays.tokens-join-to-text",),
    Place.PROMPT_SCORES: ("echo.logprobs-cover-prompt",),
    Place.USAGE: ("usage.present", "usage.completion-at-limit"),
    Place.STREAM_USAGE: ("stream-options.include-usage", "usage.present"),
}
"""For each place the requirements that say how it has to be, the most basic first."""

TOLD_APART_BY_INDEX = frozenset({Place.ECHO, Place.PROMPT_SCORES})
"""What each choice of a batch has of its own, so that the index has to be right."""

INDEXES = ("index.each-once", "index.prompt-major")


UNREADABLE = frozenset({Place.BODY, Place.STREAM, Place.EVENTS, Place.ERROR, Place.MESSAGE})
"""Places without which an answer says nothing at all."""

BASIC = frozenset(
    {
        Place.STATUS,
        Place.SERVED,
        Place.BODY,
        Place.STREAM,
        Place.EVENTS,
        Place.ERROR,
        Place.MESSAGE,
        Place.SCHEMA,
        Place.CHOICES,
        Place.INDEX,
    }
)
"""Places before the text of a choice, so that no wrong text explains them."""


def is_own(finding: Finding) -> bool:
    """Return whether a finding is about what its requirement says, and not about a place before."""
    return finding.place is None or finding.requirement in OWNERS.get(finding.place, ())


def unreadable(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the part of the answer that a check could not read."""
    if finding.place is None:
        return None
    owners = OWNERS.get(finding.place, ())
    is_owner = finding.requirement in owners
    if is_owner and not is_invariant(finding):
        owners = owners[: owners.index(finding.requirement)]
    why = say("its answers have a wrong {place}", place=as_message(finding.place.value))
    if _needs_index(evidence, finding):
        wrong = (
            owner
            for owner in evidence.about(*INDEXES)
            if owner.place is None and "echo" not in evidence.shared_traits(owner)
        )
        first = next(wrong, None)
        if first is not None:
            return explained(first, why)
    able = [
        owner
        for owner in evidence.about(*owners)
        if owner is not finding and _can_own(evidence, owner, finding)
    ]
    # Who judged what it is about tells it better than who could not read the place either.
    able.sort(key=lambda owner: owner.place is not None)
    # A check that asks for one thing tells it better than one that reads whatever was answered.
    asking = [owner for owner in able if not is_invariant(owner)]
    others = [] if is_owner else able
    return explained(next(iter([*asking, *others]), None), why)


def _needs_index(evidence: Evidence, finding: Finding) -> bool:
    """Return whether what could not be read belongs to one choice of several."""
    requests = evidence.requests_of(finding)
    # The choices of a stream are known by their index alone.
    joined = finding.place is Place.CHOICES and any_streams(requests)
    return any_several(requests) and (joined or finding.place in TOLD_APART_BY_INDEX)


def _can_own(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    # A body that cannot be read is told once; what a transfer breaks is broken there alone.
    anywhere = finding.place in UNREADABLE and owner.requirement not in _TRANSFER
    return anywhere or evidence.can_own(owner, finding)
