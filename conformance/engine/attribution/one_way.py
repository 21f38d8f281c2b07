"""Counts that are wrong in one and the same way have one cause.

Each check of the usage knows how many tokens there are in one kind of answer, and says how many it
saw. If a server counts nothing, twice as much, or one token less, all of them fail. Their numbers
tell: if one rule makes what each saw of what it expected, then that rule is the defect. Where no
rule does, as where only batches are counted wrong beside it, the findings stay two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import (
    Evidence,
    explained,
    is_as_grave,
    is_combined,
    is_invariant,
)
from conformance.engine.attribution.places import BASIC
from conformance.engine.attribution.traits import SAMPLED, WIDE
from conformance.judgement import Judgement
from conformance.message import Message, as_message, say
from conformance.model import Effect, Explanation, Finding

COUNTS = ("usage.*",)
NO_COUNTS = ("usage.present", "usage.total-is-sum", "usage.cached-*", "usage.prompt-by-tokenizer")
"""What is said of a usage as a whole, or beside a tokenizer that is not the endpoint's."""

SUMS = "usage.prompt-sums-batch"
SAME_PROMPT = "usage.prompt-grows-with-text"
COMPARES = frozenset({SUMS, "usage.prompt-counted-once", "usage.stream-equals-plain"})
"""What compares the count of a prompt with that of the same prompt in another request."""

COMPLETION = "completion_tokens"

ECHO = "usage.echo-not-completion"

AMONG = "{seen} ({among})"
"""The message of what an invariant saw, and in how many answers."""

MULTIPLES = (2, 3, 4, 5, 10)
STEPS = (4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128)
"""Numbers of tokens that counts are rounded up to."""

ONE_WAY = say("one rule makes all of these counts wrong")
SIMPLER = say("the count is wrong in a simpler answer, too")
ECHOED = say("the echo is counted as generated tokens")
DIFFERENT = say("the same prompt is counted differently each time")

Numbers = tuple[frozenset[int], int]
"""The numbers that a finding expected, of which one is the right count, and the one that it saw."""


def counted_wrong_in_one_way(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a count that is wrong in the way that this one's is."""
    if not _is_about_counts(finding):
        return None
    comes_later = False
    for owner in evidence.deviations:
        if owner is finding:
            comes_later = True
            continue
        # The completion's count tells what is wrong of both, whichever request was smaller.
        is_other = _counts_of(owner).isdisjoint(_counts_of(finding))
        able = _counts_of(owner) == {COMPLETION} if is_other else not comes_later
        if able and _is_about_counts(owner) and is_as_grave(owner, finding):
            why = _why(evidence, owner, finding)
            if why is not None:
                return explained(owner, why)
    return None


def _is_about_counts(finding: Finding) -> bool:
    about = any(fnmatchcase(finding.requirement, glob) for glob in COUNTS)
    other = any(fnmatchcase(finding.requirement, glob) for glob in NO_COUNTS)
    known = finding.place not in BASIC and finding.effect is not Effect.REFUSED
    return about and not other and known and not is_combined(finding)


def _why(evidence: Evidence, owner: Finding, finding: Finding) -> Message | None:
    """Return why a finding follows from an owner; None if it does not."""
    ours, theirs = _numbers(finding), _numbers(owner)
    if ours is not None and theirs is not None and _is_one_way(theirs, ours, owner, finding):
        return ONE_WAY
    if _adds_to_each_request(evidence, theirs, owner, finding, ours):
        return ONE_WAY
    if owner.requirement == ECHO and _counts_the_echo(evidence, finding, ours):
        return ECHOED
    if owner.requirement == SAME_PROMPT and finding.requirement in COMPARES:
        differs = not _counts_of(owner).isdisjoint(_counts_of(finding)) and _varies(owner)
        if differs and not _special(evidence, owner):
            return DIFFERENT
    if _is_special_alike(evidence, owner, finding):
        return SIMPLER
    return None


def _numbers(finding: Finding) -> Numbers | None:
    """Return the numbers of what a finding expected and saw; None if it saw none, or several.

    None as well if it does not speak of tokens.
    """
    if "tokens" not in f"{finding.expected or ''}":
        return None
    expected, seen = (
        frozenset(_whole_numbers(said)) if said else frozenset[int]()
        for said in (finding.expected, _first_seen(finding))
    )
    left = seen - expected if len(seen) > 1 else seen
    return (expected, next(iter(left))) if expected and len(left) == 1 else None


def _first_seen(finding: Finding) -> Message | None:
    """Return what a finding saw, without in how many answers an invariant saw it."""
    if finding.seen is None:
        return None
    said = as_message(finding.seen)
    inner = said.arguments.get("seen") if said.template == AMONG else None
    return as_message(inner) if isinstance(inner, str) else said


def _whole_numbers(said: Message) -> Iterator[int]:
    """Yield the whole numbers among the values of a message, and of the messages in it."""
    for value in said.arguments.values():
        if isinstance(value, Message):
            yield from _whole_numbers(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield value
        elif isinstance(value, str) and value.lstrip("-").isdecimal():
            yield int(value)


def _is_one_way(theirs: Numbers, ours: Numbers, owner: Finding, finding: Finding) -> bool:
    """Return whether one rule makes of each right number what was seen."""
    pairs = [
        (right, seen, other, counted)
        for right in theirs[0]
        for other in ours[0]
        for seen, counted in ((theirs[1], ours[1]),)
    ]
    alike = not _counts_of(owner).isdisjoint(_counts_of(finding))
    for right, seen, other, counted in pairs:
        if seen == counted == 0:
            return True
        if any(
            right * by == seen and other * by == counted and min(right, other) > 0
            for by in MULTIPLES
        ):
            return True
        if not alike:
            continue
        if seen - right == counted - other != 0:
            return True
        if seen == counted and right != other:
            return True
        if any(_round_up(right, by) == seen and _round_up(other, by) == counted for by in STEPS):
            return True
    return False


def _round_up(number: int, by: int) -> int:
    return -(-number // by) * by


def _adds_to_each_request(
    evidence: Evidence,
    theirs: Numbers | None,
    owner: Finding,
    finding: Finding,
    ours: Numbers | None,
) -> bool:
    """Return whether each request, also a batch, is billed the same tokens beside its prompts."""
    if theirs is None or ours is None or finding.requirement != SUMS or _is_sum(owner):
        return False
    sizes = {len(prompts) for prompts in _prompts(evidence, finding)}
    if owner.requirement != SAME_PROMPT or len(sizes) != 1 or min(sizes) < 2:
        return False
    more, rest = divmod(max(ours[0]) - ours[1], min(sizes) - 1)
    return more > 0 and rest == 0 and 0 <= theirs[1] - more <= max(theirs[0])


def _is_sum(finding: Finding) -> bool:
    return finding.requirement == SUMS


def _prompts(evidence: Evidence, finding: Finding) -> Iterator[tuple[object, ...]]:
    for request in evidence.judged_requests(finding):
        try:
            yield tuple(request.prompts)
        except Judgement:
            continue


def _counts_the_echo(evidence: Evidence, finding: Finding, ours: Numbers | None) -> bool:
    """Return whether all of a finding's answers have an echo, and too many tokens for it.

    Or none are left for the prompt, which is counted as generated.
    """
    if ours is None or "echo" not in evidence.shared_traits(finding):
        return False
    if _counts_of(finding) == {COMPLETION}:
        return ours[1] > min(ours[0])
    return ours[1] == 0


def _varies(finding: Finding) -> bool:
    """Return whether a finding saw several counts of one prompt."""
    values = as_message(finding.seen).arguments.values() if finding.seen else ()
    for value in values:
        try:
            read = json.loads(str(value))
        except ValueError:
            continue
        if isinstance(read, list) and len({repr(one) for one in read}) > 1:
            return True
    return False


def _is_special_alike(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether all of a finding's answers have what makes an owner's count wrong.

    A finding about batches that saw every kind of them is not about those with an echo alone.
    """
    needs = _special(evidence, owner)
    if not needs or not is_invariant(finding) or is_invariant(owner):
        return False
    alike = not _counts_of(owner).isdisjoint(_counts_of(finding))
    return alike and needs <= evidence.shared_traits(finding)


def _special(evidence: Evidence, owner: Finding) -> frozenset[str]:
    return evidence.shared_traits(owner) - {SAMPLED, WIDE}


def _counts_of(finding: Finding) -> frozenset[str]:
    """Return the counts that a finding is about, by its subject or by what it saw."""
    name = finding.subject.removeprefix("usage.")
    if name != "usage":
        return frozenset({name})
    said = f"{finding.seen or ''} {finding.expected or ''}"
    return frozenset(one for one in ("prompt_tokens", COMPLETION) if one in said)
