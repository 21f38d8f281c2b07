"""A finish reason that names the limit, although a text ended before it, misleads other checks.

They take the text for one that its limit has cut, and expect as many tokens as that, each of which
is in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.checks._shared.characters import join_tokens
from conformance.engine.attribution.counts import counts_of, is_bill_wrong
from conformance.engine.attribution.evidence import Evidence, explained, is_combined
from conformance.engine.attribution.places import BASIC, is_own
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

COUNTED = frozenset(
    {
        "usage.completion-at-limit",
        "usage.completion-sums-choices",
        "logprobs-arrays.one-entry-per-token",
    }
)
"""What compares a count with the limit that ended the text."""

OWNERS = (
    "finish-reason.stop-at-sequence",
    "finish-reason.stop-at-natural-end",
    "finish-reason.per-choice",
)
SPECIAL = re.compile(r"<\|[^|]*\|>|</s>")
"""A token that ends a text without being part of it."""


def limit_is_named(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that answers name the limit as their end, where it was something else."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    judged = evidence.judged_by(finding)
    if finding.requirement in COUNTED:
        shows = not is_bill_wrong(counts_of(evidence)) and _seem_cut(judged)
    else:
        shows = finding.place is Place.TOKENS and bool(judged) and all(map(_ended_before, judged))
    why = say("its finish reasons name the limit where something else ended the text")
    return explained(next(_owners(evidence, finding), None), why) if shows else None


def _owners(evidence: Evidence, finding: Finding) -> Iterator[Finding]:
    """Yield the findings about finish reasons that can be wrong in the answers of a finding."""
    for owner in evidence.about(*OWNERS):
        if owner is not finding and is_own(owner) and evidence.can_own(owner, finding):
            yield owner
    for owner in evidence.drawn:
        if is_combined(owner) and owner.requirement in OWNERS and owner.place is None:
            yield owner


def _seem_cut(judged: tuple[RecordedExchange, ...]) -> bool:
    """Return whether each answer counts fewer tokens than the limit that is said to have cut it."""
    counted = []
    for exchange in judged:
        try:
            request, completion = exchange.request, exchange.completion
            limit = request.limit * request.choices
            counted.append(completion.usage.completion_tokens < limit)
        except Judgement:
            continue
    return bool(counted) and all(counted)


def _ended_before(exchange: RecordedExchange) -> bool:
    """Return whether the tokens behind each text begin a stop sequence, or end a text."""
    try:
        stops = exchange.request.stops
        choices = exchange.completion.choices
        pairs = [(choice.text, join_tokens(choice.logprobs.tokens)) for choice in choices]
    except (Judgement, TypeError):
        return False
    behind = [joined.removeprefix(text) for text, (joined, _) in pairs if text != joined]
    return bool(behind) and all(
        SPECIAL.fullmatch(rest)
        or any(stop.startswith(rest) or rest.startswith(stop) for stop in stops)
        for rest in behind
    )
