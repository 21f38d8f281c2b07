"""What a check could not read is reported by the check that is about it.

A check reads an answer from the outside in: its status, its body, its choices, their index, and
then the member that it is about. What it could not read is the finding's
:class:`~conformance.model.Place`, and then its sentence says nothing about its own requirement. If
no check that owns the place reports it, the finding stays, because somebody has to tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformance.engine.attribution.echo_order import are_in_other_order
from conformance.engine.attribution.evidence import (
    Evidence,
    any_several,
    any_streams,
    explained,
    is_invariant,
)
from conformance.engine.attribution.members import SCHEMAS, violated_by
from conformance.engine.attribution.traits import SEVERAL, TOKENS
from conformance.judgement import Judgement
from conformance.message import Message, say
from conformance.model import Credentials, Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

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
    Place.TOKENS: ("logprobs-arrays.tokens-join-to-text", "streaming.logprobs-as-plain"),
    Place.PROMPT_SCORES: ("echo.logprobs-cover-prompt",),
    Place.USAGE: (
        "usage.present",
        "usage.completion-at-limit",
        "stream-options.include-usage",
    ),
    Place.STREAM_USAGE: ("stream-options.include-usage", "usage.present"),
}
"""For each place the requirements that say how it has to be, the most basic first."""

OF_BAD_INPUT = frozenset({"errors.bad-input-no-server-fault", "errors.bad-input-is-400"})
"""Requirements about the status of invalid requests, which all have the right key."""

WHY: Mapping[Place, Message] = {
    Place.STATUS: say("its requests are rejected with another status"),
    Place.SERVED: say("its requests are served, though they are invalid"),
    Place.BODY: say("the body of its answers cannot be read"),
    Place.STREAM: say("its answers are no streams of events"),
    Place.EVENTS: say("the events of its streams cannot be read"),
    Place.ERROR: say("its errors have no `error` object that can be read"),
    Place.MESSAGE: say("its errors have no `message`"),
    Place.SCHEMA: say("its answers violate the schema"),
    Place.CHOICES: say("its answers do not have the choices that were requested"),
    Place.INDEX: say("the choices of its answers have a wrong `index`"),
    Place.TEXT: say("the choices of its answers have no valid `text`"),
    Place.ECHO: say("its answers do not start with the prompt"),
    Place.FINISH: say("the choices of its answers have no known `finish_reason`"),
    Place.LOGPROBS: say("the choices of its answers have no `logprobs`"),
    Place.ARRAYS: say("the arrays in the `logprobs` of its answers are missing or wrong"),
    Place.TOKENS: say("the `tokens` of its answers do not join to the text"),
    Place.PROMPT_SCORES: say("the `logprobs` of its answers do not cover the prompt"),
    Place.USAGE: say("its answers have no valid `usage`"),
    Place.STREAM_USAGE: say("its streams have no valid `usage`"),
}
"""Why a check cannot judge what it is about, if another one reports the place."""

TOLD_APART_BY_INDEX = frozenset({Place.ECHO, Place.PROMPT_SCORES})
"""What each choice of a batch has of its own, so that the index has to be right."""

BY_DEFAULT = frozenset({"envelope.choices", "n.default-one"})
"""Requirements about the number of choices of a request that does not say it."""

COVERED = "echo.logprobs-cover-prompt"
"""That an echoed prompt has its log probabilities, as many as are billed."""

SHAPE = "envelope.choices"
NO_LIST = say("choices a non-empty array of objects")
"""What is expected where an answer has no list of choices at all, however many were requested."""

HOW_MANY = re.compile(r" \(\d+ of \d+ [^()]*\)$")
"""What an invariant adds to what it saw."""

FRAMING = ("streaming.framing", "streaming.error-framed")
"""Requirements without which the events of a stream cannot be told apart."""

OF_EACH_CHOICE = ("logprobs-arrays.tokens-join-to-text", "logprobs.returned")
"""Requirements that say that the scores of a choice are its own."""

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
    place = finding.place or _counted(evidence, finding)
    if place is None or (_is_about_index(finding) and are_in_other_order(evidence, finding)):
        return None
    owners = _owners_of(evidence, place)
    is_owner = finding.requirement in owners
    before = owners[: owners.index(finding.requirement)] if is_owner else owners
    if is_owner and not is_invariant(finding):
        owners = before
    why = WHY[place]
    if _needs_index(evidence, finding):
        wrong = (owner for owner in evidence.about(*INDEXES) if _tells_of_index(evidence, owner))
        first = next(wrong, None)
        if first is not None:
            return explained(first, why)
    if place is Place.CHOICES and all(map(_has_stray_events, evidence.judged_by(finding))):
        # What is missing may be in the events that cannot be read.
        framed = explained(next(evidence.about(*FRAMING), None), WHY[Place.EVENTS])
        if framed is not None:
            return framed
    if place is Place.PROMPT_SCORES and all(map(_scores_first_choice, evidence.judged_by(finding))):
        scored = (
            one for one in evidence.about(*OF_EACH_CHOICE) if one.place in {None, Place.TOKENS}
        )
        first = next((one for one in scored if one is not finding), None)
        if first is not None:
            return explained(first, WHY[Place.TOKENS])
    shapeless = _shapeless(evidence, finding)
    if shapeless is not None:
        return explained(shapeless, why)
    able = [
        owner
        for owner in evidence.about(*owners)
        if owner is not finding and _can_own(evidence, owner, finding)
    ]
    # Who judged what it is about tells it better than who could not read the place either.
    able.sort(key=lambda owner: owner.place is not None)
    # A check that asks for one thing tells it better than one that reads whatever was answered.
    asking = [owner for owner in able if not is_invariant(owner)]
    others = [one for one in able if one.requirement in before and _says_the_same(one, finding)]
    return explained(next(iter([*asking, *(others if is_owner else able)]), None), why)


def _shapeless(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return the finding that answers have no list of choices, for what asked for some.

    What was asked for has to do with it only if all such answers are to batches or token ids.
    """
    if finding.expected != NO_LIST or finding.requirement == SHAPE:
        return None
    if _is_of_other_prompts(evidence, SHAPE):
        return None
    return next((one for one in evidence.about(SHAPE) if one.expected == NO_LIST), None)


def _owners_of(evidence: Evidence, place: Place) -> tuple[str, ...]:
    """Return the requirements that say how a place has to be, the most basic first.

    The number of choices by default is known from single texts; what is said of batches or token
    ids alone says no more than what is said of these.
    """
    owners = OWNERS.get(place, ())
    last = [one for one in owners if one in BY_DEFAULT and _is_of_other_prompts(evidence, one)]
    return (*(one for one in owners if one not in last), *last)


def _counted(evidence: Evidence, finding: Finding) -> Place | None:
    """Return the place that an invariant reads without naming it.

    That is the choices for what is said of their number by default: of batches or token ids alone
    it is said because of these; and the echo for what is said of the index because of it.
    """
    if _is_about_index(finding) and is_invariant(finding):
        echoed = "echo" in evidence.shared_traits(finding)
        return Place.ECHO if echoed and finding.effect is Effect.ALTERED else None
    counted = finding.requirement in BY_DEFAULT and is_invariant(finding)
    is_other = counted and _is_of_other_prompts(evidence, finding.requirement)
    return Place.CHOICES if is_other else None


def _is_of_other_prompts(evidence: Evidence, requirement: str) -> bool:
    about = tuple(map(evidence.shared_traits, evidence.about(requirement)))
    return bool(about) and any(all(trait in one for one in about) for trait in (SEVERAL, TOKENS))


def _says_the_same(owner: Finding, finding: Finding) -> bool:
    """Return whether both saw the same at the same place.

    An invariant adds in how many answers, and lists only some of them.
    """
    ours, theirs = (HOW_MANY.sub("", one.seen or "") for one in (finding, owner))
    same = bool(ours) and ours == theirs
    return same and (owner.place, owner.expected) == (finding.place, finding.expected)


def _has_stray_events(exchange: RecordedExchange) -> bool:
    return exchange.response.is_stream and bool(exchange.response.stream.stray)


def _scores_first_choice(exchange: RecordedExchange) -> bool:
    """Return whether all choices have the tokens of the first one, and not its text."""
    try:
        choices = exchange.completion.choices
        tokens = {repr(choice.logprobs.tokens) for choice in choices}
        texts = {choice.text for choice in choices}
    except Judgement:
        return False
    return len(tokens) == 1 < len(texts)


def _is_about_index(finding: Finding) -> bool:
    return finding.requirement in INDEXES


def _tells_of_index(evidence: Evidence, owner: Finding) -> bool:
    """Return whether a wrong index is not told from echoes alone, which may be wrong themselves.

    They are right if each is there as often as it has to be, in an order that only several choices
    of a prompt change.
    """
    if owner.place is None and owner.requirement == "index.each-once":
        return True
    if "echo" in evidence.shared_traits(owner):
        return are_in_other_order(evidence, owner)
    return owner.place is None


def _needs_index(evidence: Evidence, finding: Finding) -> bool:
    """Return whether what could not be read belongs to one choice of several."""
    requests = evidence.requests_of(finding)
    # The choices of a stream are known by their index alone.
    joined = finding.place is Place.CHOICES and any_streams(requests)
    return any_several(requests) and (joined or finding.place in TOLD_APART_BY_INDEX)


def _can_own(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    if finding.place is Place.LOGPROBS and owner.requirement == COVERED and owner.place is None:
        return False  # how many entries there are says nothing of answers without any
    if finding.place is Place.STATUS and not _has_the_same_status(evidence, owner, finding):
        return False
    if owner.requirement == "max-tokens.zero-with-echo" and not _is_of_no_tokens(evidence, finding):
        return False
    if finding.place in {Place.ERROR, Place.MESSAGE} and is_about_keys(evidence, owner, finding):
        return False
    # A body that cannot be read is told once; what a transfer breaks is broken there alone.
    anywhere = finding.place in UNREADABLE and owner.requirement not in _TRANSFER
    if not anywhere and _violates_elsewhere(evidence, owner, finding):
        return False
    return anywhere or evidence.can_own(owner, finding) or _says_the_same(owner, finding)


def is_about_keys(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether an owner knows only errors without the right key, and a finding others.

    Keys are often looked at by a server in front, whose errors have a form of their own.
    """
    theirs, ours = (
        {one.exchange.request.credentials for one in evidence.judged_by(one_of)}
        for one_of in (owner, finding)
    )
    return bool(theirs) and Credentials.OWN not in theirs and Credentials.OWN in ours


def _has_the_same_status(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether an owner found the status of a finding's answers, for requests of this kind.

    What becomes of bad input with the right key says nothing of requests without it.
    """
    theirs, ours = (
        {(one.exchange.status, one.exchange.request.credentials) for one in judged}
        for judged in (evidence.judged_by(owner), evidence.judged_by(finding))
    )
    if not theirs or not ours:
        return True
    if owner.requirement in OF_BAD_INPUT:
        return bool(theirs & ours)
    return bool({status for status, _ in theirs} & {status for status, _ in ours})


def _is_of_no_tokens(evidence: Evidence, finding: Finding) -> bool:
    return any(request.raw.get("max_tokens") == 0 for request in evidence.requests_of(finding))


def _violates_elsewhere(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    """Return whether an owner only says that other members violate a schema."""
    if owner.place is not Place.SCHEMA or owner.requirement not in SCHEMAS:
        return False
    subjects = set(violated_by(evidence, owner))
    if finding.place is Place.CHOICES:
        return "choices" not in subjects
    member = (finding.place or Place.SCHEMA).value
    return not any(member in subject for subject in subjects)
