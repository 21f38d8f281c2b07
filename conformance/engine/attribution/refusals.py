"""A request that was refused because of a parameter is explained by the refusal of that parameter.

The refusals with the same status and message form a group. What all their requests have in common,
and no request that was served has, is the cause: a parameter, or one of its values.

A parameter that its contract lets an endpoint refuse is no deviation, but *refused*; that is not to
be said of the parameters that were only ever refused together with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations

from conformance.engine.attribution.evidence import Evidence, explained, is_generated, request_of
from conformance.engine.attribution.traits import asked_by
from conformance.message import say
from conformance.model import Effect, Explanation, Finding, Verdict
from conformance.protocol.request import CompletionRequest
from conformance.protocol.trace import RecordedExchange

Trait = tuple[str, str]
"""A parameter and its value as JSON, or :data:`ASKED` for any value that asks for something."""

ASKED = ""
OK = 200

NAMING = frozenset({"unknown-key.refused-or-ignored", "errors.bad-input-param"})
"""Requirements about which parameter a rejection names, where it may be one of the others."""

UNREMARKABLE = frozenset({"model", "prompt"})
"""Parameters of every request."""


def refused_anyway(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding of the refused parameter that a refused request happened to use."""
    refused = _refused(evidence, finding)
    names_culprit = finding.requirement in NAMING
    if refused is None and names_culprit:
        refused = _last_refused(evidence, finding)
    if refused is None:
        return None
    group = [
        (other, exchange)
        for other in evidence.deviations
        if (exchange := _refused(evidence, other)) is not None
        and _reply(exchange) == _reply(refused)
    ]
    if not group or (len(group) < 2 and not names_culprit):
        return None
    exchanges = [exchange for _, exchange in group]
    together = [*exchanges, refused]
    names = _names_shared(together, _served(evidence)) or _pair_shared(evidence, together)
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


def refused_together(
    evidence: Evidence, refusals: Iterable[Finding]
) -> Iterator[tuple[str, Explanation]]:
    """Yield the refusals that only show that another parameter is refused, by the finding's id.

    Args:
        evidence: the findings and exchanges of the run.
        refusals: the findings that say that a request was refused, which is no deviation.
    """
    known = {
        finding.id: (finding, exchange)
        for finding in chain(refusals, evidence.deviations)
        if (exchange := _refused(evidence, finding)) is not None
    }
    served = _served(evidence)
    for finding, exchange in known.values():
        if finding.verdict is not Verdict.REFUSED:
            continue
        alike = [other for _, other in known.values() if _reply(other) == _reply(exchange)]
        names = _names_shared([exchange], {*served, *_values_of_one(exchange)})
        names |= _names_shared(alike, served) if len(alike) > 1 else set()
        if finding.subject not in names:
            # Who is not in all of them is not the cause, whatever it is beside those that are.
            names |= set[str].intersection(*(set(_asked(other)) for other in alike))
        root = _refused_without(finding, names, known)
        if root is not None:
            yield (
                finding.id,
                Explanation(
                    root.id,
                    say("its requests are refused because of {names}", names=(root.subject,)),
                ),
            )


def _refused_without(
    finding: Finding,
    names: set[str],
    known: Mapping[str, tuple[Finding, RecordedExchange]],
) -> Finding | None:
    """Return the simplest refusal of another parameter, in a request without that of a finding.

    None if the finding's parameter is refused without the other one, too; then both are.
    """
    ours = finding.subject
    for name in sorted(names - {ours}):
        asking = {
            key: (name in _asked(exchange), ours in _asked(exchange))
            for key, (_, exchange) in known.items()
        }
        if ours in names and (False, True) in asking.values():
            continue
        roots = [
            (other, exchange)
            for key, (other, exchange) in known.items()
            if other.subject == name
            and not is_generated(other)
            and asking[key][0]
            and not (ours in names and asking[key][1])
        ]
        if roots:
            return min(roots, key=lambda one: (len(_traits_of(one[1])), one[0].id))[0]
    return None


def _asked(exchange: RecordedExchange) -> frozenset[str]:
    request = request_of(exchange)
    return asked_by(request) if request else frozenset()


def _values_of_one(exchange: RecordedExchange) -> set[Trait]:
    """Return the values of a single request, of which nothing tells which one is refused."""
    return set(_traits(exchange)) - {(name, ASKED) for name in _asked(exchange)}


def _served(evidence: Evidence) -> set[Trait]:
    """Return the parameters and values of all requests that were served."""
    served = (one for one in evidence.everything if one.exchange.status == OK)
    return set(chain.from_iterable(map(_traits, served)))


def _names_shared(refused: Iterable[RecordedExchange], served: set[Trait]) -> set[str]:
    """Return the parameters that all of these requests have, and no served one has so."""
    common = set.intersection(*(set(_traits(exchange)) for exchange in refused))
    return {name for name, _ in common - served}


def _pair_shared(evidence: Evidence, refused: Iterable[RecordedExchange]) -> set[str]:
    """Return the two parameters that all of these requests have, and no served one has both.

    Empty if several pairs are possible.
    """
    pairs = set.intersection(*(set(_pairs(exchange)) for exchange in refused))
    served = (one for one in evidence.everything if one.exchange.status == OK)
    left = pairs.difference(chain.from_iterable(map(_pairs, served)))
    return set(left.pop()) if len(left) == 1 else set()


def _pairs(exchange: RecordedExchange) -> Iterator[tuple[str, ...]]:
    """Yield any two parameters of a request, in the order of their names."""
    request = request_of(exchange)
    sent = {} if request is None else request.raw
    given = (name for name, value in sent.items() if value is not None)
    yield from combinations(sorted(set(given) - UNREMARKABLE), 2)


def _refused(evidence: Evidence, finding: Finding) -> RecordedExchange | None:
    """Return the refused exchange that a finding is about."""
    if finding.effect is not Effect.REFUSED and finding.verdict is not Verdict.REFUSED:
        return None
    return _last_refused(evidence, finding)


def _last_refused(evidence: Evidence, finding: Finding) -> RecordedExchange | None:
    """Return the last refused exchange of a finding; those before it are what it knows already."""
    refused = [one for one in evidence.of(finding) if 400 <= (one.exchange.status or 0) < 500]
    return refused[-1] if refused else None


def _reply(exchange: RecordedExchange) -> tuple[int | None, bytes]:
    return exchange.exchange.status, exchange.exchange.body


def _traits_of(exchange: RecordedExchange) -> tuple[Trait, ...]:
    return tuple(_traits(exchange))


def _traits(exchange: RecordedExchange) -> Iterator[Trait]:
    request: CompletionRequest | None = request_of(exchange)
    for name, value in (request.raw if request else {}).items():
        if name not in UNREMARKABLE:
            yield name, json.dumps(value, sort_keys=True)
            if isinstance(value, list):
                yield name, f"{len(value)} entries"
    if request:
        yield from ((name, ASKED) for name in sorted(asked_by(request)))
