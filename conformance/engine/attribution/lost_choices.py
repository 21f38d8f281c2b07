"""Choices that streams lose with their end were generated, and nobody asked for fewer.

A choice whose events come last, or whose only event is the last one, is missing in a stream that is
cut off. That follows from the finding that streams lack their end, which shows in streams of one
choice, too. If every stream of several choices lacks some, their number is wrong by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.engine.attribution.traits import SEVERAL, asked_by, has_several
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OWNERS = ("streaming.done-last", "streaming.one-finish-per-choice")
"""What a stream that is cut off lacks."""


def choices_are_cut_off(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that streams lack their end, for choices that only some streams lack."""
    if finding.place is not Place.CHOICES or finding.effect is Effect.REFUSED:
        return None
    judged = evidence.judged_by(finding)
    if not judged or not all(one.response.is_stream and _lacks_choices(one) for one in judged):
        return None
    asked = evidence.shared_traits(finding)
    for owner in evidence.about(*OWNERS):
        needs = evidence.shared_traits(owner)
        if (
            owner.place is None
            and SEVERAL not in needs
            and needs <= asked
            and _some_have_all(evidence, judged)
        ):
            return explained(owner, say("the end of its streams is lost, and choices with it"))
    return None


def _lacks_choices(exchange: RecordedExchange) -> bool:
    """Return whether the chunks of a stream have fewer choices than were requested.

    A stream of something else than chunks lacks more than that.
    """
    chunks = [payload for _, payload in exchange.response.payloads]
    found: set[object] = set()
    for chunk in chunks:
        choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
        if not isinstance(choices, list):
            return False
        found.update(repr(one.get("index")) for one in choices if isinstance(one, Mapping))
    try:
        return bool(chunks) and len(found) < exchange.request.choices
    except Judgement:
        return False


def _some_have_all(evidence: Evidence, judged: tuple[RecordedExchange, ...]) -> bool:
    """Return whether another stream that asks for as many choices in the same way has them all."""
    ways = {_way(one) for one in judged}
    return any(
        one.response.is_stream and _way(one) in ways and not _lacks_choices(one)
        for one in evidence.everything
    )


def _way(exchange: RecordedExchange) -> tuple[bool, bool] | None:
    """Return whether a request asks for several choices, and whether for several of a prompt."""
    request = request_of(exchange)
    return None if request is None else (has_several(request), "n" in asked_by(request))
