"""How invariants judge all responses of a run, with one finding for all that break a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.api import Api, features_of
from conformance.checks._shared.root_causes import JUDGED_BY
from conformance.judgement import Failure, Feature, Judgement, Missing, NotApplicable
from conformance.protocol.trace import RecordedExchange, Trace, Violation

MAX_EXCHANGES_SHOWN = 5
"""Exchanges that a finding points at; more of the same convince nobody."""

Item = TypeVar("Item")

JudgeExchange = Callable[[RecordedExchange], None]
"""Judges one answer: returns, or raises a judgement like a check."""

JudgeTrace = Callable[[Sequence[RecordedExchange]], Iterable[Violation]]
"""Judges answers together: yields what breaks the requirement."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What looking at some answers came to; ``at`` are those that there was something to judge."""

    at: tuple[RecordedExchange, ...]
    violations: tuple[Violation, ...]


def inspect_each(
    judge: JudgeExchange, feature: Feature | None, exchanges: Sequence[RecordedExchange]
) -> Inspected:
    """Judge every answer by itself.

    An answer that lacks something altogether is passed over, unless that ``feature`` is what the
    invariant is about: for any other there is an invariant that is.
    """
    inspected: list[RecordedExchange] = []
    violations: list[Violation] = []
    for exchange in exchanges:
        try:
            judge(exchange)
        except Missing as missing:
            if missing.feature is not feature:
                continue
            violations.append(Violation(missing, (exchange,)))
        except Failure as failure:
            violations.append(Violation(failure, (exchange,)))
        except Judgement:
            continue
        inspected.append(exchange)
    return Inspected(tuple(inspected), tuple(violations))


def assert_each(items: Iterable[Item], judge: Callable[[Item], None]) -> None:
    """Judge several things of one answer, each by itself.

    Raises:
        Deviation: of the first that breaks the rule.
        NotApplicable: there is nothing to judge about any of them.
    """
    inspected = 0
    for item in items:
        try:
            judge(item)
        except (NotApplicable, Missing):
            continue
        inspected += 1
    if not inspected:
        raise NotApplicable("not applicable to this response")


def assert_not_reported(
    run: Trace, requirements: Iterable[str], feature: Feature | None = None
) -> None:
    """Assert that no check has found already what an invariant could only find again.

    Raises:
        NotApplicable: one has.
    """
    tellers = [run.root_cause_of(requirement) for requirement in requirements]
    if feature is not None:
        tellers.append(run.root_cause_among(JUDGED_BY[feature]))
    result = next((teller for teller in tellers if teller is not None), None)
    if result is not None:
        raise NotApplicable(f"same cause as {result}")


def conclude(inspected: Inspected, api: Api) -> None:
    """Make one finding of all breaches, and point at the exchanges that show them.

    Raises:
        Deviation: there are some: the first, with how many there are and what they have in common.
        NotApplicable: there was nothing to judge.
    """
    if inspected.violations:
        first = inspected.violations[0].failure
        broken = list(
            dict.fromkeys(a for violation in inspected.violations for a in violation.exchanges)
        )
        api.exchanges.extend(response.exchange for response in broken[:MAX_EXCHANGES_SHOWN])
        seen = f"{first.seen} ({how_many(broken, inspected.at)})"
        raise Failure(first.expected, seen, effect=first.effect)
    if not inspected.at:
        raise NotApplicable("no applicable response in this run")


def how_many(broken: Sequence[RecordedExchange], inspected: Sequence[RecordedExchange]) -> str:
    """Say how many answers break a rule, and by what their requests differ from all others."""
    sound = [exchange for exchange in inspected if exchange not in broken]
    count = f"{len(broken)} of {len(broken) + len(sound)} responses"
    common = frozenset.intersection(*(frozenset(traits(exchange)) for exchange in broken))
    for exchange in sound:
        common -= frozenset(traits(exchange))
    return f"{count}: those with {', '.join(sorted(common))}" if common and sound else count


def traits(exchange: RecordedExchange) -> Iterator[str]:
    """Name what there is to a request, for telling those that go wrong from those that do not."""
    request = exchange.exchange.request
    named = {"prompt:batch": "several prompts", "prompt:tokens": "a prompt of tokens"}
    for feature in features_of(request.body) - {"model", "prompt"}:
        if exchange.request.raw.get(feature) is not False:
            yield named.get(feature, f"`{feature}`")
    if not request.body.decode("utf-8", errors="replace").isascii():
        yield "non-ASCII text"
