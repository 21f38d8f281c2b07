"""How invariants judge all responses of a run, with one finding for all that break a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from conformance.api import Api, features_of
from conformance.checks._shared.root_causes import JUDGED_BY
from conformance.judgement import Absence, Deviation, Judgement, NotApplicable, Thing
from conformance.protocol.trace import Answered, Breach, WholeRun

MAX_EXCHANGES_SHOWN = 5
"""Exchanges that a finding points at; more of the same convince nobody."""

Item = TypeVar("Item")

JudgeAnswer = Callable[[Answered], None]
"""Judges one answer: returns, or raises a judgement like a check."""

JudgeRun = Callable[[Sequence[Answered]], Iterable[Breach]]
"""Judges answers together: yields what breaks the requirement."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What looking at some answers came to; ``at`` are those that there was something to judge."""

    at: tuple[Answered, ...]
    breaches: tuple[Breach, ...]


def inspect_each(judge: JudgeAnswer, thing: Thing | None, answers: Sequence[Answered]) -> Inspected:
    """Judge every answer by itself.

    An answer that lacks something altogether is passed over, unless that ``thing`` is what the
    invariant is about: for any other there is an invariant that is.
    """
    looked: list[Answered] = []
    breaches: list[Breach] = []
    for answer in answers:
        try:
            judge(answer)
        except Absence as absence:
            if absence.thing is not thing:
                continue
            breaches.append(Breach(absence, (answer,)))
        except Deviation as deviation:
            breaches.append(Breach(deviation, (answer,)))
        except Judgement:
            continue
        looked.append(answer)
    return Inspected(tuple(looked), tuple(breaches))


def assert_each(items: Iterable[Item], judge: Callable[[Item], None]) -> None:
    """Judge several things of one answer, each by itself.

    Raises:
        Deviation: of the first that breaks the rule.
        NotApplicable: there is nothing to judge about any of them.
    """
    looked = 0
    for item in items:
        try:
            judge(item)
        except (NotApplicable, Absence):
            continue
        looked += 1
    if not looked:
        raise NotApplicable("there is nothing of this to look at in the answer")


def assert_not_reported(
    run: WholeRun, requirements: Iterable[str], thing: Thing | None = None
) -> None:
    """Assert that no check has found already what an invariant could only find again.

    Raises:
        NotApplicable: one has.
    """
    tellers = [run.accuser_of(requirement) for requirement in requirements]
    if thing is not None:
        tellers.append(run.accuser_among(JUDGED_BY[thing]))
    told = next((teller for teller in tellers if teller is not None), None)
    if told is not None:
        raise NotApplicable(f"{told} found this already")


def conclude(looked: Inspected, api: Api) -> None:
    """Make one finding of all breaches, and point at the exchanges that show them.

    Raises:
        Deviation: there are some: the first, with how many there are and what they have in common.
        NotApplicable: there was nothing to judge.
    """
    if looked.breaches:
        first = looked.breaches[0].deviation
        broken = list(dict.fromkeys(a for breach in looked.breaches for a in breach.answers))
        api.exchanges.extend(answer.exchange for answer in broken[:MAX_EXCHANGES_SHOWN])
        seen = f"{first.seen} ({how_many(broken, looked.at)})"
        raise Deviation(first.expected, seen, effect=first.effect)
    if not looked.at:
        raise NotApplicable("no answer of the run has anything of this to look at")


def how_many(broken: Sequence[Answered], looked: Sequence[Answered]) -> str:
    """Say how many answers break a rule, and by what their requests differ from all others."""
    sound = [answer for answer in looked if answer not in broken]
    count = f"{len(broken)} of {len(broken) + len(sound)} answers"
    common = frozenset.intersection(*(frozenset(traits(answer)) for answer in broken))
    for answer in sound:
        common -= frozenset(traits(answer))
    return f"{count}: those with {', '.join(sorted(common))}" if common and sound else count


def traits(answer: Answered) -> Iterator[str]:
    """Name what there is to a request, for telling those that go wrong from those that do not."""
    request = answer.exchange.request
    named = {"prompt:batch": "several prompts", "prompt:tokens": "a prompt of tokens"}
    for feature in features_of(request.body) - {"model", "prompt"}:
        if answer.asked.raw.get(feature) is not False:
            yield named.get(feature, f"`{feature}`")
    if not request.body.decode("utf-8", errors="replace").isascii():
        yield "text beyond ASCII"
