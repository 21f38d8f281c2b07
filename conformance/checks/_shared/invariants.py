"""Judges all responses of a run, with one finding for all that break a rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.api import Api, features_of
from conformance.evidence import Evidence
from conformance.judgement import Failure, Feature, Judgement, Missing, NotApplicable
from conformance.message import Message, say
from conformance.protocol.trace import RecordedExchange, Violation

OK = 200

USUAL_OPTIONS = frozenset({"include_usage", "include_obfuscation"})
"""The members of ``stream_options`` in the live API."""

MAX_EXCHANGES_SHOWN = 5
"""The most exchanges that a finding lists as evidence."""

Item = TypeVar("Item")

JudgeExchange = Callable[[RecordedExchange], None]
"""Judges one response: returns to pass, or raises a judgement."""

Inspection = RecordedExchange | Violation
"""A response that was compared, or what it violates."""

JudgeTrace = Callable[[Sequence[RecordedExchange]], Iterable[Inspection]]
"""Compares responses: yields those that it compares, and what breaks the requirement."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """The result for some responses; ``at`` are those to which the rule applies."""

    at: tuple[RecordedExchange, ...]
    violations: tuple[Violation, ...]


def inspect_each(
    judge: JudgeExchange, feature: Feature | None, exchanges: Sequence[RecordedExchange]
) -> Inspected:
    """Judge every response.

    A response without a feature is skipped, unless ``feature`` names it: the invariant of that
    feature reports it.
    """
    inspected: list[RecordedExchange] = []
    violations: list[Violation] = []
    for exchange in exchanges:
        try:
            judge(exchange)
        except Missing as missing:
            if missing.feature is not feature:
                continue
            violations.append(Violation(_bare(missing), (exchange,)))
        except Failure as failure:
            violations.append(Violation(_bare(failure), (exchange,)))
        except Judgement:
            continue
        inspected.append(exchange)
    return Inspected(tuple(inspected), tuple(violations))


def _bare(failure: Failure) -> Failure:
    """Return a failure without its frames, which hold the parsed response that it is about."""
    failure.__cause__ = failure.__context__ = None
    return failure.with_traceback(None)


def usual_exchanges(api: Api) -> Sequence[RecordedExchange]:
    """Return the exchanges of a run without completions that an extension may have changed.

    The contract marks parameters that the live API does not have. What they mean is judged by the
    checks that send them.
    """
    extensions = {known.name for known in api.contract.parameters if known.is_extension}
    if not extensions:
        return api.trace.exchanges
    return tuple(one for one in api.trace.exchanges if not _is_extended(one, extensions))


def _is_extended(exchange: RecordedExchange, extensions: Collection[str]) -> bool:
    if exchange.exchange.status != OK:
        return False
    options = exchange.request.raw.get("stream_options")
    nested = options.keys() - USUAL_OPTIONS if isinstance(options, dict) else ()
    return bool(nested) or not exchange.request.raw.keys().isdisjoint(extensions)


def inspect_trace(inspections: Iterable[Inspection]) -> Inspected:
    """Collect what a comparison of responses yields."""
    compared: dict[RecordedExchange, None] = {}
    violations: list[Violation] = []
    for inspection in inspections:
        if isinstance(inspection, Violation):
            violations.append(inspection)
        else:
            compared[inspection] = None
    return Inspected(tuple(compared), tuple(violations))


def assert_each(items: Iterable[Item], judge: Callable[[Item], None]) -> None:
    """Judge several items of one response.

    Raises:
        Failure: the first item that breaks the rule.
        NotApplicable: the rule applies to none of them.
    """
    inspected = 0
    for item in items:
        try:
            judge(item)
        except (NotApplicable, Missing):
            continue
        inspected += 1
    if not inspected:
        raise NotApplicable(say("not applicable to this response"))


def conclude(inspected: Inspected, api: Api) -> None:
    """Combine all violations into one finding, and list the exchanges that show them.

    Raises:
        Failure: the violation whose requests are the smallest, with the number of all and what
            their requests have in common.
        NotApplicable: the rule applies to no response.
    """
    if inspected.violations:
        violation = min(inspected.violations, key=_request_bytes)
        first = violation.failure
        broken = list(
            dict.fromkeys(a for violation in inspected.violations for a in violation.exchanges)
        )
        api.exchanges.extend(response.exchange for response in broken[:MAX_EXCHANGES_SHOWN])
        probe, *others = (one.exchange for one in (*violation.exchanges, *violation.compared_with))
        seen = say("{seen} ({among})", seen=first.seen, among=how_many(broken, inspected.at))
        evidence = first.evidence or Evidence((probe,), tuple(others))
        failure = Failure(first.expected, seen, effect=first.effect, place=first.place)
        failure.shown_by(evidence)
        if first.needs_suite:
            failure.only_by_suite()
        if first.needs_run or not is_told_apart(broken, inspected.at):
            failure.only_by_run()
        raise failure
    if not inspected.at:
        raise NotApplicable(say("no applicable response in this run"))


def _request_bytes(violation: Violation) -> int:
    """Return how much has to be sent to show a violation."""
    sent = (*violation.exchanges, *violation.compared_with)
    return sum(len(one.exchange.request.body) for one in sent)


def how_many(broken: Sequence[RecordedExchange], inspected: Sequence[RecordedExchange]) -> Message:
    """Describe how many responses break a rule, and how their requests differ from all others."""
    sound = [exchange for exchange in inspected if exchange not in broken]
    count, total = len(broken), len(broken) + len(sound)
    common = _common(broken)
    for exchange in sound:
        common -= frozenset(traits(exchange))
    if not (common and sound):
        return say("{count} of {total} responses", count=count, total=total)
    shared = tuple(sorted(common))
    return say(
        "{count} of {total} responses: those with {traits}", count=count, total=total, traits=shared
    )


def is_told_apart(
    broken: Sequence[RecordedExchange], inspected: Sequence[RecordedExchange]
) -> bool:
    """Return whether no sound response is to a request with all that those of broken ones share.

    If there is one, what was sent before may decide, or chance, and not the request alone.
    """
    common = _common(broken)
    return not any(common <= set(traits(one)) for one in inspected if one not in broken)


def _common(exchanges: Iterable[RecordedExchange]) -> frozenset[str]:
    return frozenset.intersection(*(frozenset(traits(exchange)) for exchange in exchanges))


def traits(exchange: RecordedExchange) -> Iterator[str]:
    """Yield the traits of a request: parameters, and kinds of prompt and text."""
    request = exchange.exchange.request
    named = {"prompt:batch": say("several prompts"), "prompt:tokens": say("a prompt of tokens")}
    for feature in features_of(request.body) - {"model", "prompt"}:
        if feature == "prompt:batch" and len(exchange.request.raw["prompt"]) == 1:
            yield say("a list as prompt")
        elif exchange.request.raw.get(feature) is not False:
            yield named.get(feature, f"`{feature}`")
    if not request.body.decode("utf-8", errors="replace").isascii():
        yield say("non-ASCII text")
