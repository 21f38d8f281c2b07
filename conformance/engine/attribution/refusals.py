"""A request that was refused because of a parameter is explained by the refusal of that parameter.

The refusals with the same status and message form a group. What all their requests have in common,
and no request that was served has, is the cause: a parameter, or one of its values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.engine.attribution.evidence import Evidence, explained, request_of
from conformance.message import say
from conformance.model import Effect, Explanation, Finding
from conformance.protocol.request import CompletionRequest
from conformance.protocol.trace import RecordedExchange

Trait = tuple[str, str]
"""A parameter and its value as JSON."""

UNREMARKABLE = frozenset({"model", "prompt"})
"""Parameters of every request."""


def refused_anyway(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding of the refused parameter that a refused request happened to use."""
    refused = _refused(evidence, finding)
    if refused is None:
        return None
    group = [
        (other, exchange)
        for other in evidence.accusations
        if (exchange := _refused(evidence, other)) is not None
        and _reply(exchange) == _reply(refused)
    ]
    if len(group) < 2:
        return None
    common = set.intersection(*(set(_traits(exchange)) for _, exchange in group))
    served = {
        trait
        for exchange in evidence.everything
        if exchange.exchange.status == 200
        for trait in _traits(exchange)
    }
    names = {name for name, _ in common - served}
    if not names:
        return None
    about = [other for other, _ in group if other.subject in names]
    # Who asks for nothing but to be served tells it best, and who names all that is refused.
    about.sort(
        key=lambda other: (
            not other.requirement.endswith("-served"),
            -sum(name.replace("_", "-") in other.requirement for name in names),
            other.requirement.partition(".")[0].replace("-", "_") not in names,
        )
    )
    root = (about or [min(group, key=lambda one: (len(_traits_of(one[1])), one[0].id))[0]])[0]
    if root.id == finding.id:
        return None
    return explained(
        root, say("its requests are refused because of {names}", names=tuple(sorted(names)))
    )


def _refused(evidence: Evidence, finding: Finding) -> RecordedExchange | None:
    """Return the refused exchange that a finding is about."""
    if finding.effect is not Effect.REFUSED:
        return None
    refused = (one for one in evidence.of(finding) if 400 <= (one.exchange.status or 0) < 500)
    return next(refused, None)


def _reply(exchange: RecordedExchange) -> tuple[int | None, bytes]:
    return exchange.exchange.status, exchange.exchange.body


def _traits_of(exchange: RecordedExchange) -> tuple[Trait, ...]:
    return tuple(_traits(exchange))


def _traits(exchange: RecordedExchange) -> Iterator[Trait]:
    request: CompletionRequest | None = request_of(exchange)
    for name, value in (request.raw if request else {}).items():
        if name not in UNREMARKABLE:
            yield name, json.dumps(value, sort_keys=True)
