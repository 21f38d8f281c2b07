"""What is wrong already in a simpler answer explains what else is read from it.

A claim about a part of an answer rests on the parts that are read before it: the text of a choice
on its index, the effect of a parameter on the text. If a finding says that such a part is wrong,
and its request asks for nothing that the request of the claim does not ask for too, the claim
follows from it. Which of two comes first is thus not a matter of order alone:

- a field that is wrong without a parameter explains what is said of the parameter's effect;
- the parameter explains the field, if every request with the wrong field has the parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from conformance.engine.attribution.another_prompt import ECHO_OWNERS, shows_another_prompt
from conformance.engine.attribution.apart import is_apart
from conformance.engine.attribution.evidence import (
    Evidence,
    all_stream,
    any_streams,
    explained,
    is_combined,
    is_generated,
    is_invariant,
    request_of,
)
from conformance.engine.attribution.parts import READ_BEFORE, Part, part_claimed, part_of
from conformance.engine.attribution.places import BASIC, FRAMING, is_about_keys, is_own
from conformance.engine.attribution.traits import (
    SAMPLED,
    SEVERAL,
    WIDE,
    Traits,
    asked_by,
    has_ids,
    traits_of,
)
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

PARAMETERS: Mapping[str, str] = {
    "echo": "echo",
    "stop": "stop",
    "suffix": "suffix",
    "logit_bias": "logit_bias",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "best_of": "best_of",
    "user": "user",
    "stream_options": "stream_options",
    "n": SEVERAL,
    "prompt": SEVERAL,
    "temperature": SAMPLED,
}
"""Parameters that change what an answer has, and the trait of requests where they do."""

ORDERS = (
    (
        "streaming.framing",
        "streaming.error-framed",
        "streaming.done-last",
        "streaming.one-finish-per-choice",
    ),
    ("errors.good-input-no-server-fault", "errors.good-input-*", "errors.few-left-unanswered"),
    (
        "logprobs.returned",
        "logprobs-arrays.four-parallel",
        "logprobs.zero-gives-sampled",
        "logprobs-arrays.tokens-join-to-text",
        "logprobs-arrays.one-entry-per-token",
        "logprobs.alternatives-count",
        "logprobs-arrays.never-positive",
        "logprobs-arrays.sampled-agrees-with-top",
        "logprobs-arrays.top-mass-at-most-one",
        "logprobs-arrays.greedy-is-top",
        "logprobs-arrays.*",
        "echo.scored-equals-generated",
    ),
    ("echo.off-by-default", "text.*"),
    ("finish-reason.known-value", "finish-reason.*"),
    ("prompt.tokens", "prompt.token-arrays", "prompt.strings", "n.default-one"),
)
"""Requirements about one part, each of which is read from those before it."""

VALUES = frozenset({Place.SERVED, Place.STATUS})
"""Places of findings about one invalid value each, which have nothing else in common."""

NO_VALUE = frozenset({"headers.authorization"})
"""Subjects of which every request has the same invalid value."""

COPIES = "n"
"""The parameter that asks for several choices a prompt."""

UNAFFECTED = frozenset({Part.CHOICES, Part.SUM, Part.CONSTANT})
"""Parts that no parameter changes by its effect on the text."""

TWIN = say("the same is wrong in a simpler answer, too")
"""Why one of two findings about one sentence is not told."""

TOOLS = frozenset({"echo", "n", "prompt", "temperature", "logit_bias", "stream_options"})
"""Parameters that checks of other parameters use as well."""

WHATEVER_IS_SENT = frozenset({"errors.no-leak"})
"""Requirements about what is the endpoint's own, which no trait of a request makes simpler."""

REPEATED = "temperature.zero-is-greedy"
"""That an answer comes again: what is wrong in it each time makes none differ from the others."""

OF_IDS = "prompt.tokens-equal-text"
"""That an id is the same token in a prompt and in a bias, of which nothing tells the right one."""

ECHO_SCORES = "echo.scored-equals-generated"
"""That scores do not depend on the echo, so that all those of an echo are wrong."""

SCORES_OF_ECHOES = frozenset({ECHO_SCORES, "echo.logprobs-cover-prompt", "echo.first-token-null"})
"""Requirements about the scores of an echo, which are no text."""

TOKENS_JOIN = "logprobs-arrays.tokens-join-to-text"
"""That the tokens that are listed are those of the text."""

ONE_FINISH = "streaming.one-finish-per-choice"
"""That a choice ends once, of which the id of a chunk says nothing."""

BY_ID = "logit_bias"
"""The parameter whose values are token ids."""

PROMPT_OWNERS = ("prompt.decides-answer", "prompt.verbatim")
PROMPT_CLAIMS = ("echo.*", "text-offset.*", "usage.prompt-*", "stop.prompt-not-searched")
"""What is said of the prompt, where the endpoint has another prompt than the request."""


def wrong_in_a_simpler_request(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about a part of a simpler answer that a claim rests on."""
    twin = _twin(evidence, finding)
    if twin is not None:
        return explained(twin, TWIN)
    part = part_claimed(finding)
    if part is None or finding.place in BASIC or finding.requirement == REPEATED:
        return None
    owners = sorted(_owners(evidence, finding, part), key=lambda one: (one[0], len(one[1])))
    if not owners:
        return None
    owner = owners[0][2]
    return explained(
        owner,
        say(
            "it rests on {subject}, which is wrong in a simpler answer, too", subject=owner.subject
        ),
    )


def _owners(
    evidence: Evidence, finding: Finding, part: Part
) -> Iterator[tuple[Part, Traits, Finding]]:
    for owner in evidence.deviations:
        # An owner that counts the tokens billed says nothing of the text.
        owned = part_claimed(owner) or part_of(owner.requirement)
        if owned is None or owner is finding or not is_own(owner) or owner.place is Place.SERVED:
            continue
        if is_apart(evidence, finding, part, owner, owned):
            continue
        if owner.subject == COPIES and not _asks_for_copies(evidence, finding):
            continue
        if not _rests_on(evidence, finding, part, owner, owned):
            continue
        if is_invariant(owner) and not _shows_in(owner, owned, finding):
            continue
        yield owned, evidence.shared_traits(owner), owner


def _asks_for_copies(evidence: Evidence, finding: Finding) -> bool:
    """Return whether a request asks for several choices a prompt, and not only for several prompts.

    What is wrong of the choices of one prompt says nothing of those of several.
    """
    return any(COPIES in asked_by(request) for request in evidence.requests_of(finding))


def _shows_in(owner: Finding, owned: Part, finding: Finding) -> bool:
    """Return whether what an invariant found in some answers can be the reason of a claim.

    It has to be in the answers of the claim; and that a parameter has no effect at all does not
    follow from what is odd in some texts or scores.
    """
    if _has_no_effect(finding) and owned > Part.END:
        return False
    return bool(set(owner.exchanges) & set(finding.exchanges))


def _rests_on(
    evidence: Evidence, finding: Finding, part: Part, owner: Finding, owned: Part
) -> bool:
    """Return whether a claim about a part rests on what an owner says is wrong."""
    settled = _settled(evidence, finding, part, owner, owned)
    if settled is not None:
        return settled
    sought = with_parameter = evidence.needs_of(owner)
    about_prompt = owner.requirement in PROMPT_OWNERS or (
        finding.subject != "echo" and shows_another_prompt(evidence, owner)
    )
    if about_prompt:
        # An echo shows which prompt the endpoint has for requests without one, too; and prompts in
        # another script are as wrong as all others are.
        sought -= {WIDE, "echo"}
    if not evidence.asks_for(finding, sought):
        return False
    if owner.requirement == finding.requirement:
        rests = False
    elif about_prompt:
        rests = any(fnmatchcase(finding.requirement, glob) for glob in PROMPT_CLAIMS) or (
            owner.requirement in ECHO_OWNERS
            and evidence.asks_for(finding, with_parameter)
            and _is_effect_of(evidence, owner, with_parameter, finding, part)
        )
    elif owner.requirement == ECHO_SCORES and part is Part.SCORES:
        rests = sought <= evidence.shared_traits(finding)
    elif owned is Part.EFFECT:
        rests = _is_effect_of(evidence, owner, sought, finding, part)
    elif (owned, part) == (Part.STREAMED, Part.TEXT) or (
        owner.requirement == "streaming.logprobs-as-plain" and part is Part.SCORES
    ):
        # What is wrong in streams alone is what streams have differently.
        one_streams = is_combined(finding) and any_streams(evidence.requests_of(finding))
        rests = one_streams or "stream" in evidence.shared_traits(finding)
    elif (
        part is Part.EFFECT
        and _is_own_trait(finding.subject)
        and owned is not Part.CHOICES
        and (PARAMETERS[finding.subject] in sought)
    ):
        # Nothing says that the part is wrong without the parameter of the claim.
        rests = False
    elif owned is part:
        echoes = finding.requirement == ECHO_SCORES and "echo" in sought
        rests = not echoes and _is_before(owner.requirement, finding.requirement)
    else:
        rests = owned in READ_BEFORE[part] and _is_read(evidence, finding, owner, owned)
    return rests


def _settled(
    evidence: Evidence, finding: Finding, part: Part, owner: Finding, owned: Part
) -> bool | None:
    """Return whether a claim rests on an owner, if no trait of requests has to tell."""
    if owned is part is Part.ANSWER:
        return _is_before(owner.requirement, finding.requirement)
    if owner.requirement in FRAMING and part in {Part.CHOICES, Part.INDEX}:
        # Without its events nothing of a stream is known.
        return any(
            one.response.is_stream and one.response.stream.stray
            for one in evidence.judged_by(finding)
        )
    about_framing = finding.requirement in FRAMING and owned in {Part.CHOICES, Part.INDEX}
    if about_framing or (part is Part.CONSTANT and owner.requirement == ONE_FINISH):
        return False
    if owner.requirement == OF_IDS and finding.subject == BY_ID:
        # Which token an id is was asked with a prompt of ids, which may be read as others.
        return any(map(_is_of_ids, evidence.controls_of(finding)))
    # That nothing changes is read from texts; but which token was biased, from a list of tokens.
    known = next(evidence.about(TOKENS_JOIN), None) is None
    of_texts = owner.requirement in SCORES_OF_ECHOES and _has_no_effect(finding) and known
    if of_texts or (finding.requirement == OF_IDS and owner.subject == BY_ID):
        return False
    return None


def _is_effect_of(
    evidence: Evidence, owner: Finding, sought: Traits, finding: Finding, part: Part
) -> bool:
    """Return whether a claim can be wrong because of what an owner says of its parameter.

    The parameter has to be sent; that of the claim must not be what the owner is about as well.
    """
    if ".default" in owner.requirement and all(
        request.raw.get(owner.subject) is not None for request in evidence.requests_of(finding)
    ):
        return False  # requests that say the value rest on no default
    if PARAMETERS.get(owner.subject) not in sought or part in {
        Part.CHOICES,
        Part.SUM,
        Part.CONSTANT,
    }:
        return False
    # The effect of several choices is read by their index.
    if part is Part.INDEX and not _is_own_trait(owner.subject):
        return _all_repeat_a_text(evidence, finding)
    if part is not Part.EFFECT or owner.subject == finding.subject:
        return True
    if owner.subject == "stop" and finding.place is Place.ECHO:
        # Where each request has a stop sequence, what it cuts may be the echo.
        return sought <= evidence.shared_traits(finding)
    return owner.subject in TOOLS and PARAMETERS.get(finding.subject) not in sought


def _is_read(evidence: Evidence, finding: Finding, owner: Finding, owned: Part) -> bool:
    """Return whether a claim reads the part that an owner is about from its own answers.

    Of a single choice no index has to be read, and of streams alone no plain body.
    """
    if owned is Part.INDEX:
        ways = (frozenset({SEVERAL}), frozenset({"stream"}))
        asked = any(evidence.asks_for(finding, way) for way in ways)
        return asked and not _all_repeat_a_text(evidence, owner)
    if owned is Part.BODY and "stream" not in evidence.shared_traits(owner):
        return not all_stream(evidence.requests_of(finding))
    return not (owned in {Part.SCORES, Part.FINISH} and _has_no_effect(finding))


def _has_no_effect(finding: Finding) -> bool:
    """Return whether a claim is that a parameter has no effect, which odd scores do not cause."""
    return finding.effect is Effect.IGNORED and finding.place is None


def _is_of_ids(exchange: RecordedExchange) -> bool:
    """Return whether the prompt of an exchange is token ids."""
    request = request_of(exchange)
    return request is not None and has_ids(request.raw.get("prompt"))


def _is_own_trait(subject: str) -> bool:
    """Return whether a parameter has a trait of requests that no other parameter gives them."""
    return subject in PARAMETERS and PARAMETERS[subject] == subject


def _all_repeat_a_text(evidence: Evidence, finding: Finding) -> bool:
    """Return whether each answer has one text for several prompts, in no order right or wrong.

    Samples differ anyway.
    """
    greedy = [
        exchange
        for exchange in evidence.judged_by(finding)
        if (request := request_of(exchange)) and SAMPLED not in traits_of(request)
    ]
    return bool(greedy) and all(map(_repeats_a_text, greedy))


def _repeats_a_text(exchange: RecordedExchange) -> bool:
    try:
        texts = exchange.completion.texts
        is_whole = len(texts) == exchange.request.choices
        return is_whole and len(exchange.request.prompts) > 1 == len(set(texts))
    except Judgement:
        return False


def _is_before(owner: str, claim: str) -> bool:
    """Return whether a requirement about the same part has to hold before another one."""
    for order in ORDERS:
        ranks = [
            next((i for i, glob in enumerate(order) if fnmatchcase(name, glob)), None)
            for name in (owner, claim)
        ]
        first, second = ranks
        if first is not None and second is not None:
            return first < second
    return False


def _twin(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return a finding about the same sentence, in an answer that is at least as simple."""
    directed = _directed_twin(evidence, finding)
    if directed is not None or (finding.place in VALUES and finding.subject not in NO_VALUE):
        return directed
    twins = [
        one
        for one in evidence.deviations
        if one.requirement == finding.requirement
        and (one.subject == finding.subject or finding.place is Place.SCHEMA)
        and one is not finding
        and _is_twin(evidence, one, finding)
    ]
    return min(twins, key=lambda one: len(evidence.shared_traits(one)), default=None)


def _directed_twin(evidence: Evidence, finding: Finding) -> Finding | None:
    """Return the finding about the same sentence and request, where a generated one came to it."""
    if not is_generated(finding):
        return None
    own = {one.exchange.id for one in evidence.judged_by(finding)}
    about = (one for one in evidence.about(finding.requirement) if one is not finding)
    return next((one for one in about if own & set(one.exchanges)), None)


def _is_twin(evidence: Evidence, owner: Finding, finding: Finding) -> bool:
    if finding.requirement in WHATEVER_IS_SENT and is_invariant(finding):
        shown = {one.exchange.id for one in evidence.judged_by(owner)}
        return not is_invariant(owner) and bool(shown & set(finding.exchanges))
    asked = not (is_invariant(finding) or is_generated(finding))
    other = owner.place in VALUES and owner.subject not in NO_VALUE
    if other or (is_invariant(owner) and asked) or is_about_keys(evidence, owner, finding):
        return False
    if asked and (owner.place, owner.effect) != (finding.place, finding.effect):
        return False
    if finding.subject.startswith("headers.") and not (
        _content_types(evidence, finding) <= _content_types(evidence, owner)
    ):
        return False
    ours, theirs = (evidence.shared_traits(one) for one in (finding, owner))
    if ours != theirs or is_invariant(owner) != is_invariant(finding):
        return theirs <= ours
    places = [one.id for one in evidence.deviations]
    return finding.id not in places or places.index(owner.id) < places.index(finding.id)


def _content_types(evidence: Evidence, finding: Finding) -> frozenset[str | None]:
    judged = evidence.judged_by(finding)
    return frozenset(exchange.exchange.header("content-type") for exchange in judged)
