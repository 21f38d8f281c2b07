"""An answer of another kind than the request's is explained by the finding about its kind.

A rejection that is told as a success, a stream that nobody asked for, a document in place of a
stream, an answer to what has to be rejected: whatever else is said of such an answer follows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from conformance.engine.attribution.evidence import Evidence, explained, is_invariant, request_of
from conformance.message import Message, say
from conformance.model import Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OK = 200

UNIQUE = "envelope.id-unique"
UNASKED = "stream.plain-unless-asked"
DISGUISED = "errors.never-as-success"
STREAM = "stream"
"""Part of the requirements about streams, and what goes together with one."""

FEW_IDS = 3
"""With fewer ids in a run, an id says nothing about which request a response answers."""


def of_another_kind(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the kind of the answers that a finding judges."""
    judged = evidence.judged_by(finding)
    if not judged:
        return None
    for requirement, (is_other, why) in KINDS.items():
        if finding.requirement == requirement or not all(map(is_other, judged)):
            continue
        is_served = finding.place is Place.SERVED and STREAM not in finding.requirement
        if is_served and requirement != DISGUISED:
            continue  # an invalid request that has nothing to do with streams
        if requirement == UNASKED and _was_read_as_stream(finding):
            continue
        for owner in evidence.about(requirement):
            if not is_invariant(owner) or set(owner.exchanges) & set(finding.exchanges):
                return explained(owner, why)
    unserved = _of_unserved_parameter(evidence, finding)
    if unserved is not None:
        return unserved
    disguised = _as_disguised(evidence, finding, judged) or _as_repeated(evidence, finding, judged)
    return disguised or _should_be_refused(evidence, finding, judged)


def _was_read_as_stream(finding: Finding) -> bool:
    """Return whether a claim is about what a stream says as well as a plain answer.

    Checks read whichever they get. Its content type and its missing usage are the stream's.
    """
    return finding.place is None and finding.subject != "headers.content-type"


def _is_error(exchange: RecordedExchange) -> bool:
    """Return whether an answer with status 200 is nothing but an error."""
    if exchange.exchange.status != OK:
        return False
    body = _body(exchange)
    return isinstance(body, Mapping) and bool(body.get("error")) and not body.get("choices")


def _is_unasked_stream(exchange: RecordedExchange) -> bool:
    request = request_of(exchange)
    asked = request is not None and request.raw.get("stream") is True
    return exchange.exchange.status == OK and not asked and exchange.response.is_stream


def _is_no_stream(exchange: RecordedExchange) -> bool:
    request = request_of(exchange)
    asked = request is not None and request.raw.get("stream") is True
    return exchange.exchange.status == OK and asked and not exchange.response.is_stream


KINDS: Mapping[str, tuple[Callable[[RecordedExchange], bool], Message]] = {
    DISGUISED: (_is_error, say("the answer is an error that is told as a success")),
    UNASKED: (
        _is_unasked_stream,
        say("the answer is a stream that was not asked"),
    ),
    "stream.true-streams": (_is_no_stream, say("streams are not served at all")),
}
"""The requirements about the kind of an answer, and how an answer of that kind is recognised."""


def _of_unserved_parameter(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain what is said of the options of streams, where no stream is served."""
    if finding.subject != "stream_options":
        return None
    owner = next(evidence.about("stream.true-streams"), None)
    served = any(
        exchange.exchange.status == OK and exchange.response.is_stream
        for exchange in evidence.everything
    )
    return None if served else explained(owner, say("streams are not served at all"))


def _as_disguised(
    evidence: Evidence, finding: Finding, judged: tuple[RecordedExchange, ...]
) -> Explanation | None:
    """Explain what is said of an error in the shape of a completion, by its envelope."""
    for owner in evidence.about(DISGUISED):
        if finding.requirement == owner.requirement or not _telling_ids(evidence):
            continue
        known = {_envelope(exchange) for exchange in evidence.judged_by(owner)} - {None}

        def is_disguised(exchange: RecordedExchange, known: Collection[str | None] = known) -> bool:
            return _envelope(exchange) in known

        compared = evidence.controls_of(finding)
        if all(map(is_disguised, judged)) or any(map(is_disguised, compared)):
            return explained(owner, say("the answer is an error that is told as a success"))
    return None


def _as_repeated(
    evidence: Evidence, finding: Finding, judged: tuple[RecordedExchange, ...]
) -> Explanation | None:
    """Explain what is said of an answer that was given to another request before."""
    owner = next(evidence.about(UNIQUE), None)
    if owner is None or finding.requirement == owner.requirement:
        return None
    telling = frozenset() if finding.place is Place.SERVED else _telling_ids(evidence)
    if not telling:
        return None
    first: dict[str, bytes] = {}
    # A request that was sent first can get the answer of one that was answered before it.
    for exchange in sorted(evidence.everything, key=_answered):
        key = _whole(exchange)
        if key is not None:
            first.setdefault(key, exchange.exchange.request.body)

    def is_repeated(exchange: RecordedExchange) -> bool:
        key = _whole(exchange)
        told = key is not None and _id_of(exchange) in telling
        return key is not None and told and first[key] != exchange.exchange.request.body

    compared = evidence.controls_of(finding)
    if finding.roles and not is_invariant(finding):
        # What a check refers to beside its probe is what it is compared with.
        compared += tuple(
            one for one in evidence.of(finding) if finding.roles.get(one.exchange.id) is None
        )
    if all(map(is_repeated, judged)) or any(map(is_repeated, compared)):
        return explained(owner, say("the answer is that to another request"))
    return None


def _answered(exchange: RecordedExchange) -> float:
    """Return when an answer had come, in seconds since the run began."""
    attempts = exchange.exchange.attempts
    return attempts[-1].started + attempts[-1].elapsed if attempts else 0.0


def _is_id_of_two(evidence: Evidence) -> bool:
    """Return whether one completion answers two requests, whatever else has its id."""
    telling = _telling_ids(evidence)
    requests: dict[str, set[bytes]] = defaultdict(set)
    for exchange in evidence.everything:
        if _whole(exchange) is not None and _id_of(exchange) in telling:
            requests[_id_of(exchange)].add(exchange.exchange.request.body)
    return any(len(bodies) > 1 for bodies in requests.values())


def _telling_ids(evidence: Evidence) -> frozenset[str]:
    """Return the ids that only equal completions have; none if there are few of them.

    Of errors that are told as completions, for example, each may have the same id.
    """
    by_id: dict[str, set[str]] = defaultdict(set)
    for exchange in evidence.everything:
        whole = _whole(exchange)
        if whole is not None:
            by_id[_id_of(exchange)].add(whole)
    telling = frozenset(key for key, wholes in by_id.items() if len(wholes) == 1)
    return telling if len(telling) >= FEW_IDS else frozenset()


def _id_of(exchange: RecordedExchange) -> str:
    raw = _body(exchange)
    return repr(raw.get("id")) if isinstance(raw, Mapping) else ""


def _envelope(exchange: RecordedExchange) -> str | None:
    """Return what a completion and no other one has in common with it; None if it is none."""
    raw = _body(exchange)
    if exchange.exchange.status != OK or not isinstance(raw, Mapping) or not raw.get("id"):
        return None
    return repr([raw.get(name) for name in ("id", "created", "model")])


def _whole(exchange: RecordedExchange) -> str | None:
    """Return the envelope of a complete completion with its choices; None if it is none."""
    envelope, raw = _envelope(exchange), _body(exchange)
    if envelope is None or not isinstance(raw, Mapping) or not exchange.is_whole:
        return None
    return f"{envelope} {raw.get('choices')!r}"


def _body(exchange: RecordedExchange) -> object:
    """Return the JSON of an answer, that of the first event if it is a stream."""
    if exchange.response.is_stream:
        return exchange.payloads[0][1] if exchange.payloads else None
    return exchange.response.readable


def _should_be_refused(
    evidence: Evidence, finding: Finding, judged: tuple[RecordedExchange, ...]
) -> Explanation | None:
    """Explain what the answers to requests say that had to be refused."""
    if finding.place is Place.SERVED or any(one.exchange.status != OK for one in judged):
        return None
    if finding.requirement == UNIQUE and _is_id_of_two(evidence):
        return None
    invalid: dict[tuple[str, str], Finding] = {}
    for owner in evidence.deviations:
        if owner.place is Place.SERVED and owner.requirement != finding.requirement:
            for exchange in evidence.judged_by(owner):
                invalid.setdefault(("", repr(exchange.exchange.request)), owner)
                if owner.subject == "model" and "model" in dict(_values(exchange)):
                    # An endpoint that takes a model that it does not have takes any.
                    invalid.update(dict.fromkeys(_other_models(evidence), owner))

    def owner_of(exchange: RecordedExchange) -> Finding | None:
        return next((invalid[key] for key in _values(exchange) if key in invalid), None)

    owners = list(map(owner_of, judged))
    compared = list(filter(None, map(owner_of, evidence.controls_of(finding))))
    first = compared[0] if compared else None if None in owners else owners[0]
    return explained(first, say("its requests have to be refused"))


def _other_models(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the names of models of few requests, as :func:`_values` writes them."""
    named = Counter(
        value for one in evidence.everything for name, value in _values(one) if name == "model"
    )
    for value in named:
        if value != named.most_common(1)[0][0]:
            yield "model", value


def _values(exchange: RecordedExchange) -> Iterator[tuple[str, str]]:
    request = request_of(exchange)
    yield "", repr(exchange.exchange.request)
    for name, value in (request.raw if request else {}).items():
        yield name, repr(value)
