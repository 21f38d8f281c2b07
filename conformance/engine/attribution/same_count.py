"""A count that is wrong for a setting is wrong for all requests with that setting.

Each check of the usage compares one count in requests of its own kind: of streams, of several
choices, of echoes. If a count is wrong in all streams, the checks that read a stream of an echo or
of a batch find it as well. What each of them says follows from the finding about the fewest
settings, as long as all of its own answers have these settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import Evidence, explained, is_invariant
from conformance.engine.attribution.places import is_own
from conformance.engine.attribution.traits import SAMPLED, SEVERAL, Traits, asked_by, has_ids
from conformance.message import as_message, say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.request import CompletionRequest

BATCH = "several prompts"

PROMPT, COMPLETION = "prompt_tokens", "completion_tokens"

COUNTED: Mapping[str, str] = {
    "usage.prompt-*": PROMPT,
    "usage.completion-*": COMPLETION,
    "usage.echo-not-completion": COMPLETION,
    "usage.none-behind-stop": COMPLETION,
}
"""Requirements about one count, and which."""

OF_STREAMS = "usage.stream-equals-plain"
"""The requirement about all counts of a stream; what was seen names the one that differs."""


def same_count_is_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that the same count is wrong for settings that all answers have."""
    count = count_of(finding)
    if count is None or finding.place is not None or finding.effect is Effect.REFUSED:
        return None
    ours = _settings(evidence, finding)
    owners = [
        (len(theirs), owner)
        for owner in evidence.deviations
        if owner is not finding
        and count_of(owner) == count
        and is_own(owner)
        # Without a setting, another rule tells which of the counts is the wrong one.
        and (theirs := _settings(evidence, owner))
        and (theirs < ours or (theirs == ours and _asks(owner) and not _asks(finding)))
    ]
    first = min(owners, key=lambda one: one[0], default=None)
    return explained(
        first[1] if first else None, say("the same count is wrong in a simpler answer, too")
    )


def count_of(finding: Finding) -> str | None:
    """Return the count that a finding says is wrong; None if it is about none, or several."""
    for glob, count in COUNTED.items():
        if fnmatchcase(finding.requirement, glob):
            return count
    if finding.requirement != OF_STREAMS or finding.seen is None:
        return None
    named = [count for count in (PROMPT, COMPLETION) if count in str(as_message(finding.seen))]
    return named[0] if len(named) == 1 else None


def _asks(finding: Finding) -> bool:
    return not is_invariant(finding)


def _settings(evidence: Evidence, finding: Finding) -> Traits:
    """Return what all requests with the wrong count ask for; how tokens are sampled counts none.

    Several choices of one prompt are another setting than several prompts.
    """
    asked = [asked_by(one) | _batch(one) for one in evidence.judged_requests(finding)]
    named = frozenset.intersection(*asked) if asked else frozenset()
    return (evidence.shared_traits(finding) | named) - {SAMPLED, SEVERAL}


def _batch(request: CompletionRequest) -> Traits:
    prompt = request.raw.get("prompt")
    is_batch = isinstance(prompt, list) and len(prompt) > 1 and not has_ids(prompt)
    return frozenset({BATCH}) if is_batch else frozenset()
