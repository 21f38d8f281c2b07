"""A violated schema is explained by the check of the member that violates it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.contract import Contract
from conformance.contract.violations import SchemaViolation
from conformance.engine.attribution.evidence import Evidence, explained, is_invariant
from conformance.message import say
from conformance.model import Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

SCHEMAS: Mapping[str, Callable[[Contract, object], tuple[SchemaViolation, ...]]] = {
    "envelope.choices": lambda contract, body: contract.validate_completion(body),
    "streaming.chunk-shape": lambda contract, body: contract.validate_chunk(body),
    "errors.four-members": lambda contract, body: contract.validate_error(body),
}
"""The requirements that a whole schema is checked for, and that schema."""

OWN_MEMBERS: Mapping[str, frozenset[str]] = {
    "streaming.chunk-shape": frozenset({"object", "choices[].text"}),
}
"""Members that other checks of the requirement are about, which read no schema."""

ERROR_MEMBERS = frozenset({"error.code", "error.type", "error.param"})
"""Members that the checks of errors describe as a whole, and other checks in single answers."""


ERROR_MEMBER_OF: Mapping[str, str] = {
    "auth.wrong-key-code": "error.code",
    "model.unknown-is-404": "error.code",
    "errors.bad-input-type": "error.type",
    "errors.bad-input-param": "error.param",
}
"""Requirements about the value of one member of an error."""

CONSTANT: Mapping[str, tuple[str, ...]] = {
    "streaming.identity-constant": ("id", "model"),
    "streaming.created-constant": ("created",),
}
"""Requirements about what all chunks have in common, and the members that they compare."""

USAGE_BESIDE_CHOICES = "stream-options.usage-with-last-choice"
"""The requirement of a document that no chunk is without a choice."""

CHOICES = (
    "envelope.choices",
    "prompt.strings",
    "prompt.token-arrays",
    "prompt.tokens",
    "n.count",
    "n.default-one",
)
"""The requirements that say that an answer has choices, in the order of what is asked for."""

ENVELOPE = frozenset({"id", "object", "created", "model", "choices", "usage"})
ENVELOPE_MEMBERS = frozenset(
    {
        "envelope.id",
        "envelope.id-prefix",
        "envelope.object",
        "envelope.created",
        "envelope.created-is-now",
        "envelope.model",
        "model.named-in-answer",
        "usage.present",
    }
)


def another_member_violates(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding about the member that violates a schema."""
    if finding.requirement in ERROR_MEMBER_OF:
        return _lacking_in_error(evidence, finding)
    if finding.requirement == "errors.four-members" and finding.place is None:
        return _lacking_message(evidence, finding)
    if finding.requirement in ENVELOPE_MEMBERS:
        return _without_envelope(evidence, finding)
    if finding.requirement in CONSTANT and finding.place is None:
        return _lacking_in_chunks(evidence, finding)
    if finding.place is not Place.SCHEMA or finding.requirement not in SCHEMAS:
        return None
    of_members = _of_members(evidence, finding)
    is_completion = finding.requirement in CHOICES
    return of_members or (_without_envelope(evidence, finding) if is_completion else None)


def _of_members(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain a violated schema by the first of its members, if each of them is told."""
    apart = next(evidence.about(USAGE_BESIDE_CHOICES), None)
    if apart is not None and _lacks_choices_beside_usage(evidence, finding):
        return explained(apart, say("its usage is in a chunk of its own"))
    owners: list[tuple[str, Finding]] = []
    for subject in dict.fromkeys(violated_by(evidence, finding)):
        owner = _owner(evidence, finding, subject)
        if owner is None:
            return None
        owners.append((subject, owner))
    if not owners:
        return None
    member, owner = owners[0]
    return explained(owner, say("`{member}` of its answers violates the schema", member=member))


def _lacks_choices_beside_usage(evidence: Evidence, finding: Finding) -> bool:
    """Return whether all that violates the schema are chunks of nothing but a usage."""
    validate = SCHEMAS[finding.requirement]
    violated = [
        (body, {violation.subject for violation in violations})
        for exchange in evidence.judged_by(finding)
        for body in _bodies(exchange)
        if (violations := validate(evidence.contract, body))
    ]
    return bool(violated) and all(
        body.get("choices") == [] and body.get("usage") and subjects == {"choices"}
        for body, subjects in violated
    )


def _lacking_in_error(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain a claim about the value of a member that the errors lack or mistype altogether."""
    owner = next(evidence.about("errors.four-members"), None)
    name = ERROR_MEMBER_OF[finding.requirement]
    for exchange in evidence.of(finding):
        for body in _bodies(exchange):
            error = body if evidence.contract.has_flat_errors else body.get("error")
            violated = [one.subject for one in evidence.contract.validate_error(body)]
            if isinstance(error, Mapping) and (
                name.removeprefix("error.") not in error or name in violated
            ):
                return explained(owner, say("the error lacks the member"))
    return None


def _lacking_message(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain errors that have all members but a message."""
    is_flat = evidence.contract.has_flat_errors
    bodies = [
        body if is_flat else body.get("error")
        for one in evidence.judged_by(finding)
        for body in _bodies(one)
    ]
    members = {"message", "type", "param", "code"}
    for error in bodies:
        if not isinstance(error, Mapping) or members - error.keys() != {"message"}:
            return None
    owner = next((f for f in evidence.about("errors.envelope") if f.place is Place.MESSAGE), None)
    return explained(owner, say("the error lacks its message")) if bodies else None


def _lacking_in_chunks(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain a member that is not constant because some chunks lack it, and others, too."""
    owners = evidence.about("streaming.chunk-shape")
    owner = next((one for one in owners if one.place is Place.SCHEMA), None)
    if owner is None or _of_members(evidence, owner) is not None:
        return None
    for exchange in evidence.judged_by(finding):
        for name in CONSTANT[finding.requirement]:
            values = {repr(body[name]) for body in _bodies(exchange) if body.get(name) is not None}
            if len(values) > 1:
                return None
    return explained(owner, say("some chunks lack the member"))


def _without_envelope(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Explain a claim about a member beside ``choices`` in bodies that are something else."""
    bodies = [body for exchange in evidence.of(finding) for body in _bodies(exchange)]
    if not bodies or any(not body.keys().isdisjoint(ENVELOPE) for body in bodies):
        return None
    owners = evidence.about(*CHOICES)
    owner = next((one for one in owners if one.place is not Place.SCHEMA), None)
    return explained(owner, say("its answers have no member of a completion"))


def _owner(evidence: Evidence, finding: Finding, subject: str) -> Finding | None:
    """Return the finding about a member, or about one that it is in."""
    if subject in OWN_MEMBERS.get(finding.requirement, ()):
        same = evidence.about(finding.requirement)
        owner = next((one for one in same if not one.place and not is_invariant(one)), None)
        if owner is not None:
            return owner
    while subject:
        for other in evidence.deviations:
            # Another check of the same requirement may be about the member alone.
            is_other = other.requirement != finding.requirement or (
                other.place is not Place.SCHEMA and not is_invariant(other)
            )
            if other.subject == subject and is_other:
                return other
        whole = subject.removesuffix("[]")
        subject = whole if whole != subject else subject.rpartition(".")[0]
    return None


def violated_by(evidence: Evidence, finding: Finding) -> Iterator[str]:
    """Yield the subjects of the members that violate the schema in the answers of a finding."""
    validate = SCHEMAS[finding.requirement]
    for exchange in evidence.of(finding):
        for body in _bodies(exchange):
            for violation in validate(evidence.contract, body):
                subject = violation.subject
                if subject not in ERROR_MEMBERS:
                    yield subject


def _bodies(exchange: RecordedExchange) -> tuple[Mapping[str, Any], ...]:
    response = exchange.response
    if response.is_stream:
        return tuple(body for _, body in exchange.payloads if isinstance(body, Mapping))
    body = response.readable
    return (body,) if isinstance(body, Mapping) else ()
