"""What settings do in combination rests on what each of them does alone.

A check of combinations compares an answer, the probe, with one predicted from the answers to each
of its prompts alone, the controls. So its claim follows from a finding about a simpler request, if
what that one says can make the two differ:

- it is about a setting that the probe has and the controls have not;
- or about answers of the probe's kind, which the controls are not: streams, batches, echoes;
- or about a text from which the prediction is cut, at a limit or a stop sequence.

What is wrong in both answers in the same way explains no difference between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from conformance.engine.attribution.another_prompt import shows_another_prompt
from conformance.engine.attribution.evidence import Evidence, explained, is_combined
from conformance.engine.attribution.parts import READ_BEFORE, Part, part_claimed
from conformance.engine.attribution.places import BASIC, is_own
from conformance.engine.attribution.traits import Traits, traits_of
from conformance.message import as_message, say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.request import CompletionRequest

ABOUT: Mapping[str, Part] = {
    "choices[].index": Part.INDEX,
    "choices[].finish_reason": Part.FINISH,
    "choices[].logprobs": Part.SCORES,
    "choices[].logprobs.token_logprobs": Part.SCORES,
}
"""The parts that claims about combinations compare, by their subject; the others compare texts."""

CUT_BY = ("max_tokens", "stop", "echo")
"""Settings by which an answer is cut from, or put together with, what the controls have."""

COUNTS = ("prompt_tokens", "completion_tokens")
"""The counts of a usage, of which its total is the sum."""

TEXTS = ("interactions.text", "interactions.text-in-threes")
"""The checks that compare the texts of combinations, which others read more from."""

OF_PROMPTS = "echo.scored-equals-generated"
"""That a prompt has the same scores in two requests, which no other setting of them changes."""

SCORES = "choices[].logprobs"
"""The subject of what is said of log probabilities that may not have been asked for."""

WHOLE = "usage"
"""The subject of what is said of all counts."""


def alone_is_wrong(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a simpler request that a claim about a combination rests on."""
    if not is_combined(finding) or finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    probes = evidence.judged_requests(finding)
    if not probes or finding.requirement == OF_PROMPTS:
        return None
    if finding.subject == WHOLE:
        return _of_counts(evidence, finding)
    if finding.subject == SCORES:
        return _of_lists(evidence, probes[0])
    return _of_a_simpler(evidence, finding, probes[0])


def _of_lists(evidence: Evidence, probe: CompletionRequest) -> Explanation | None:
    """Return the finding about lists that nobody asked for, or that a setting spoils."""
    if probe.logprobs is None:
        unasked = next(evidence.about("logprobs.absent-unless-asked"), None)
        return explained(unasked, say("log probabilities are returned that were not asked for"))
    for owner in evidence.deviations:
        spoilt = frozenset({"logprobs"}) < evidence.needs_of(owner) <= traits_of(probe)
        if spoilt and part_claimed(owner) is Part.SCORES and is_own(owner):
            return explained(owner, say("the same settings spoil the log probabilities"))
    return None


def _of_a_simpler(
    evidence: Evidence, finding: Finding, probe: CompletionRequest
) -> Explanation | None:
    controls = _compared(evidence, finding)
    part = ABOUT.get(finding.subject, Part.EFFECT)
    owners = (
        (part_claimed(owner), len(evidence.shared_traits(owner)), owner)
        for owner in evidence.deviations
        if controls and _makes_them_differ(evidence, owner, part, probe, controls)
    )
    first = min(owners, key=lambda one: (one[0] or 0, one[1]), default=None)
    if first is None:
        return None
    subject = first[2].subject
    return explained(
        first[2],
        say("it rests on {subject}, which is wrong in a simpler answer, too", subject=subject),
    )


def wrong_with_a_setting(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that a combination of fewer settings, or one setting, changes the text."""
    if finding.place in BASIC or finding.effect is Effect.REFUSED:
        return None
    for owner in evidence.drawn:
        if owner.id not in TEXTS or owner is finding:
            continue
        if _has_same_setting(evidence, owner, finding) or _combines_more(evidence, owner, finding):
            return explained(owner, say("the same settings change the text"))
    return None


def _has_same_setting(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether all answers that deviate have a setting, or those that they differ from."""
    sent = [request.raw for request in evidence.judged_requests(owner)]
    name = owner.subject
    if not sent or name not in sent[0]:
        return False

    def have_it(requests: Iterable[CompletionRequest]) -> bool:
        values = [request.raw.get(name, request) for request in requests]
        return bool(values) and all(value == sent[0][name] for value in values)

    probes, controls = have_it(evidence.judged_requests(finding)), _compared(evidence, finding)
    return probes != have_it(controls) if controls else probes


def _combines_more(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether a claim about a combination has all that the one of a text has."""
    if not is_combined(finding) or finding.subject == WHOLE or finding.requirement == OF_PROMPTS:
        return False
    return evidence.shared_traits(owner) <= evidence.shared_traits(finding)


def _compared(evidence: Evidence, finding: Finding) -> tuple[CompletionRequest, ...]:
    requests = (one.exchange.request for one in evidence.controls_of(finding))
    return tuple(CompletionRequest(json.loads(request.body)) for request in requests)


def _makes_them_differ(
    evidence: Evidence,
    owner: Finding,
    part: Part,
    probe: CompletionRequest,
    controls: tuple[CompletionRequest, ...],
) -> bool:
    """Return whether what an owner says makes the probe differ from what is predicted."""
    owned = part_claimed(owner)
    if owned is None or not is_own(owner) or owner.place is Place.SERVED:
        return False
    if not (owned is part or owned is Part.EFFECT or owned in READ_BEFORE[part]):
        return False
    traits = evidence.needs_of(owner)
    if shows_another_prompt(evidence, owner):
        traits -= {"echo"}  # It only shows the prompt that other answers are given to as well.
    changed = {name for control in controls for name in _changed(probe, control)}
    if not traits <= traits_of(probe):
        # The tokens of the controls tell where a limit cuts the text that is predicted.
        tells = owned is not Part.SCORES or "max_tokens" in changed
        return tells and all(traits <= traits_of(control) for control in controls)
    if any(not traits <= traits_of(control) for control in controls):
        return True
    if owned is Part.EFFECT or owner.subject in probe.raw:
        return owner.subject in changed
    return not changed.isdisjoint(CUT_BY)


def _changed(probe: CompletionRequest, control: CompletionRequest) -> Iterator[str]:
    """Yield the parameters that have another value in one of two requests."""
    for name in {*probe.raw, *control.raw}:
        if probe.raw.get(name) != control.raw.get(name):
            yield name


def _of_counts(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a count that is wrong in a simpler request, if each is told.

    One that another finding is about does not make another count wrong.
    """
    sent = (*evidence.judged_requests(finding)[:1], *_compared(evidence, finding))
    # What all answers have that the prediction is made of is wrong in it as well.
    asked = tuple(map(traits_of, sent))
    owners = [_owner_of(evidence, count, asked) for count in _wrong_counts(finding)]
    if not owners or None in owners:
        return None
    return explained(owners[0], say("the tokens are counted wrong, not generated wrong"))


def _owner_of(evidence: Evidence, count: str, asked: tuple[Traits, ...]) -> Finding | None:
    def rests_on(needs: Traits) -> bool:
        probe, *controls = asked or (frozenset(),)
        return needs <= probe or (bool(controls) and all(needs <= one for one in controls))

    about = (f"usage.{count}", WHOLE)
    found = (
        owner
        for owner in evidence.deviations
        if owner.subject in about
        and fnmatchcase(owner.requirement, "usage.*")
        and is_own(owner)
        and rests_on(evidence.shared_traits(owner))
    )
    return min(found, key=lambda one: len(evidence.shared_traits(one)), default=None)


def _wrong_counts(finding: Finding) -> tuple[str, ...]:
    """Return the counts that differ from the predicted ones; the total, if only that one does."""
    if finding.seen is None:
        return ()
    arguments = as_message(finding.seen).arguments
    try:
        seen, expected = (json.loads(str(arguments[name])) for name in ("seen", "expected"))
    except (KeyError, ValueError):
        return ()
    if not isinstance(seen, Mapping) or not isinstance(expected, Mapping):
        return ()
    wrong = tuple(name for name in COUNTS if seen.get(name) != expected.get(name))
    return wrong or ("total_tokens",)
