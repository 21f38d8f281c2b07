"""What a claim takes for granted, and another finding says is not so.

That an id has the prefix of completions presupposes that it is a string; that the seed 0 repeats
its text, that any seed does. Where the presupposition is told to be wrong, and shows in the answers
of the claim itself, the claim says nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.engine.attribution.evidence import Evidence, explained, is_as_grave
from conformance.judgement import Judgement
from conformance.message import Message, say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

Shows = Callable[[Evidence, Finding, Finding], bool]
"""Whether the answers of a claim show what an owner says: the evidence, the owner, the claim."""

OK = 200

LATEST_SECONDS = 10_000_000_000
"""What a time in seconds is below, and one in milliseconds above."""

TELLING = ("errors.malformed-json", "model.unknown-refused")
"""Requirements about requests that no completion can be meant for."""

NO_EFFECT = say("the parameter has no effect, whatever its value")
LACKING = say("its answers lack what it would be read from")


def taken_for_granted(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that says that what a claim takes for granted is wrong."""
    if finding.effect is Effect.REFUSED:
        return None
    for rule in RULES:
        if not any(fnmatchcase(finding.requirement, glob) for glob in rule.claims):
            continue
        for owner in evidence.about(*rule.owners):
            own = owner.requirement == finding.requirement
            able = not own and owner.effect is not Effect.REFUSED
            if able and is_as_grave(owner, finding) and rule.shows(evidence, owner, finding):
                return explained(owner, rule.why)
    return _of_no_effect(evidence, finding) or _of_one_answer(evidence, finding)


def _of_one_answer(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain invalid requests that are served by one that got the same completion, by its id.

    It is an error that is told as a completion; another request would get another id.
    """
    if finding.place is not Place.SERVED:
        return None
    served = [one for one in evidence.deviations if one.place is Place.SERVED]
    served.sort(key=lambda one: one.requirement not in TELLING)
    ours = _ids(evidence, finding)
    for owner in served if ours else ():
        if owner is finding:
            return None
        if ours == _ids(evidence, owner) and is_as_grave(owner, finding):
            return explained(owner, say("each invalid request gets the same completion"))
    return None


def _ids(evidence: Evidence, finding: Finding) -> set[str]:
    """Return the ids of the answers of a finding; empty if one has none."""
    ids = {value for one in evidence.judged_by(finding) for value in _values(one, "id")}
    return (
        {value for value in ids if isinstance(value, str) and value} if None not in ids else set()
    )


def _of_no_effect(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain invalid values that are served by the finding that no value does anything."""
    if finding.place is not Place.SERVED:
        return None
    for owner in evidence.deviations:
        ignored = owner.effect is Effect.IGNORED and owner.sees_effect and owner.place is None
        served = all(one.exchange.status == OK for one in evidence.judged_by(owner))
        if ignored and served and owner.subject == finding.subject and is_as_grave(owner, finding):
            return explained(owner, NO_EFFECT)
    return None


@dataclass(frozen=True, slots=True)
class Rule:
    """Claims that presuppose what owners say is wrong; both are globs of requirements."""

    claims: tuple[str, ...]
    owners: tuple[str, ...]
    shows: Shows
    why: Message


def _member(name: str, is_valid: Callable[[object], bool]) -> Shows:
    """Return whether a member of each answer of the claim is invalid."""

    def shows(evidence: Evidence, _: Finding, finding: Finding) -> bool:
        values = [value for one in evidence.judged_by(finding) for value in _values(one, name)]
        return bool(values) and not any(map(is_valid, values))

    return shows


def _values(exchange: RecordedExchange, name: str) -> Iterator[object]:
    """Yield a member of an answer, or of each chunk of a stream; None where it is missing."""
    response = exchange.response
    bodies = [read for _, read in exchange.payloads] if response.is_stream else [response.readable]
    for body in bodies:
        if isinstance(body, Mapping):
            error = body.get("error")
            yield (error if name == "code" and isinstance(error, Mapping) else body).get(name)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_time(value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 < value < LATEST_SECONDS


def _is_text_or_null(value: object) -> bool:
    return value is None or isinstance(value, str)


def _sees_the_same(_: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether both saw the same, whatever each of them expects."""
    return bool(finding.seen) and owner.seen == finding.seen


def _in_same_answers(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether what a claim shows as deviating is what the owner is about, too."""
    judged = {one.exchange.id for one in evidence.judged_by(finding)}
    return bool(judged) and judged <= set(owner.exchanges)


def _by_the_same_control(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether what a claim compares with is an answer that the owner is about."""
    compared = {one.exchange.request.body for one in evidence.controls_of(finding)}
    return bool(compared & {one.exchange.request.body for one in evidence.of(owner)})


def _has_no_effect(_: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether the parameter has no effect for either."""
    return owner.place is None and owner.effect is finding.effect is Effect.IGNORED


def _of_same_subject(_: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether both are about one parameter."""
    return owner.subject == finding.subject


def _never_repeats(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether neither seed gives a text twice."""
    return all(_are_apart(evidence, one) for one in (owner, finding))


def _are_apart(evidence: Evidence, finding: Finding) -> bool:
    texts = []
    for exchange in evidence.of(finding):
        try:
            texts.append(tuple(exchange.completion.texts))
        except Judgement:
            return False
    return len(texts) > 1 and len(set(texts)) == len(texts)


def _lacks_all_usage(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether no answer of the run has a usage, be it a stream or not."""
    places = {owner.place, finding.place} <= {Place.USAGE, Place.STREAM_USAGE}
    return places and not any(
        isinstance(value, Mapping) for one in evidence.everything for value in _values(one, "usage")
    )


def _ends_alike(evidence: Evidence, _: Finding, finding: Finding) -> bool:
    """Return whether all answers of the run have one finish reason, or none."""
    reasons = set()
    for exchange in evidence.everything:
        try:
            reasons |= {choice.finish_reason for choice in exchange.completion.choices}
        except Judgement:
            continue
    return len(reasons) == 1 and finding.place is None


def _is_about_last_event(evidence: Evidence, _: Finding, finding: Finding) -> bool:
    """Return whether only the last event of each stream is no chunk."""
    judged = evidence.judged_by(finding)
    return finding.place is Place.EVENTS and bool(judged) and all(map(_ends_in_no_chunk, judged))


def _ends_in_no_chunk(exchange: RecordedExchange) -> bool:
    if not exchange.response.is_stream:
        return False
    chunks = [isinstance(read, Mapping) and "choices" in read for _, read in exchange.payloads]
    return len(chunks) > 1 and all(chunks[:-1]) and not chunks[-1]


def _are_called_streams(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether the answers say that they are streams, so that their events are the matter."""
    judged = evidence.judged_by(finding)
    own = owner.place is None and finding.place is None
    return own and bool(judged) and all(one.response.is_stream for one in judged)


def _has_several_ids(evidence: Evidence, _: Finding, finding: Finding) -> bool:
    """Return whether each answer of a claim is a stream with several ids."""
    judged = evidence.judged_by(finding)
    return bool(judged) and all(len(set(map(repr, _values(one, "id")))) > 1 for one in judged)


def _is_own(_: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether both judged what they are about."""
    return owner.place is None and finding.place is None


def _at_same_place(_: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether both could not read the same part of an answer."""
    return finding.place is not None and owner.place is finding.place


RULES = (
    Rule(
        ("envelope.id-prefix", "envelope.id-unique"),
        ("envelope.id",),
        _member("id", _is_name),
        say("the `id` of its answers is no text"),
    ),
    Rule(
        ("envelope.created-is-now",),
        ("envelope.created",),
        _member("created", _is_time),
        say("`created` of its answers is no time in seconds"),
    ),
    Rule(
        ("model.named-in-answer",),
        ("envelope.model",),
        _member("model", _is_name),
        say("`model` of its answers is no text"),
    ),
    Rule(
        ("auth.wrong-key-code", "model.unknown-is-404"),
        ("errors.code-is-string",),
        _member("code", _is_text_or_null),
        say("`code` of its errors is no text"),
    ),
    Rule(
        ("index.prompt-major",),
        ("index.each-once",),
        _sees_the_same,
        say("the choices of its answers have a wrong `index`"),
    ),
    Rule(
        ("seed.whole-range-served",),
        ("seed.repeats",),
        _never_repeats,
        say("no seed gives the same text again"),
    ),
    Rule(
        ("repeat-penalty.*", "repetition-penalty.*"),
        ("repeat-penalty.scales-scores", "repetition-penalty.scales-scores"),
        _has_no_effect,
        NO_EFFECT,
    ),
    Rule(("prompt-logprobs.*",), ("prompt-logprobs.one-for-each-token",), _sees_the_same, LACKING),
    Rule(
        ("prompt-logprobs.*",), ("prompt-logprobs.one-for-each-token",), _in_same_answers, LACKING
    ),
    Rule(
        ("streaming.chunk-shape",),
        ("envelope.object",),
        _member("object", lambda value: value == "text_completion"),
        say("`object` is wrong in a simpler answer, too"),
    ),
    Rule(
        ("stream-options.include-usage",),
        ("usage.present",),
        _lacks_all_usage,
        say("no answer has a `usage`"),
    ),
    Rule(
        ("finish-reason.*", "streaming.one-finish-per-choice"),
        ("finish-reason.known-value", "finish-reason.stop-at-sequence"),
        _ends_alike,
        say("all answers have the same `finish_reason`, whatever ended them"),
    ),
    Rule(
        ("streaming.chunk-shape",),
        ("streaming.done-last",),
        _is_about_last_event,
        say("its streams have something else as their end"),
    ),
    Rule(
        ("stream.true-streams",),
        ("streaming.framing",),
        _are_called_streams,
        say("the events of its streams cannot be read"),
    ),
    Rule(
        ("envelope.id-prefix",),
        ("streaming.identity-constant",),
        _has_several_ids,
        say("the chunks of its streams have several ids"),
    ),
    Rule(
        ("logprobs.alternatives-count",),
        ("logprobs.twenty-listed",),
        _in_same_answers,
        say("fewer alternatives are listed than were asked for"),
    ),
    Rule(
        ("logprobs-arrays.four-parallel",),
        ("logprobs.alternatives-count",),
        _at_same_place,
        say("the arrays in the `logprobs` of its answers are missing or wrong"),
    ),
    Rule(
        ("streaming.logprobs-as-plain",),
        ("logprobs-arrays.four-parallel", "logprobs-arrays.one-entry-per-token"),
        _by_the_same_control,
        say("it is compared with an answer whose arrays are wrong"),
    ),
    Rule(
        ("errors.no-leak",),
        ("auth.key-not-repeated",),
        _in_same_answers,
        say("what is leaked is the key"),
    ),
    Rule(
        ("max-tokens.default-sixteen",),
        ("max-tokens.limits-answer",),
        _is_own,
        say("it is compared with an answer whose limit is not kept"),
    ),
    Rule(
        ("errors.coerced-type-refused",),
        ("errors.wrong-type-refused",),
        _of_same_subject,
        say("values of any other type are served"),
    ),
    Rule(
        ("text-offset.*",),
        ("text-offset.advances-by-characters",),
        _is_own,
        say("the offsets of its answers do not count characters"),
    ),
)
"""What claims take for granted, in the order of reading."""
