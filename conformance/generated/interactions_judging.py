"""From the answers to all rows to one judgement, about the smallest request that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from conformance.api import Api, features_of
from conformance.checks._shared.ab_compare import Unsettled, expect_agreement
from conformance.checks._shared.token_scores import expect_scored_alike
from conformance.completion import Completion
from conformance.generated.expectation import Bases
from conformance.generated.interactions_asking import Answer, Met, ask, bases_of, meet, tried
from conformance.generated.interactions_aspects import Look, View, looked, same, scored_alike
from conformance.generated.interactions_rows import Row
from conformance.judgement import (
    Absence,
    Deviation,
    Inconclusive,
    Judgement,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.verdicts import is_promised

MOST = 14
"""Requests that may be spent on making one row smaller."""

TRIES = 2
"""Rows that are told of, until one of them settles the matter."""


@dataclass(frozen=True)
class Aspect:
    """One thing that is looked at in every answer.

    Attributes:
        words: what must be, for a reader.
        look: sees it in an answer.
        by_text: whether another greedy text would show in it, as that of a near-tie, so that a
            difference has to be repeated before it is believed.
        by_score: whether it holds scores, which are compared as numbers and not as text.
    """

    words: str
    look: Look
    by_text: bool = False
    by_score: bool = False

    def wrong(self, row: Row, bases: Bases, answer: Answer) -> View | Deviation | None:
        """Return what is wrong with the answer to a row, or None."""
        if isinstance(answer, Judgement):
            return None
        seen = looked(self.look, row, bases, answer)
        if isinstance(seen, View):
            return None if (scored_alike if self.by_score else same)(seen) else seen
        return seen


async def hold(api: Api, aspect: Aspect, *, pairs: bool) -> None:
    """Hold an aspect of the answers to the rows that cover the pairs, or to those behind them.

    Raises:
        Deviation: it is not as it must be, told of the smallest row that shows it.
        Unsettled: it comes and goes.
        Inconclusive: rows were not answered.
        NotApplicable: there is nothing to look at, or a check of the pairs finds it already.
    """
    met = await meet(api, pairs=pairs)
    failed = [row for row, answer in met.answers if aspect.wrong(row, met.bases, answer)]
    own = _part(met, pairs=pairs)
    if not pairs and any(row not in own for row in failed):
        raise NotApplicable(
            "two settings are enough to show it, and the check of pairs judges that"
        )
    doubt: Unsettled | None = None
    for row in sorted(failed, key=lambda row: len(row.traits))[:TRIES]:
        try:
            await accuse(api, aspect, row, met.bases)
        except Unsettled as unsettled:
            doubt = doubt or unsettled
    if doubt is not None:
        raise doubt
    _hold_answered(met, own)


async def accuse(api: Api, aspect: Aspect, row: Row, bases: Bases) -> None:
    """Make a row that shows something wrong as small as it can be, and tell of that.

    Raises:
        Deviation: it is wrong.
        Unsettled: it comes and goes.
    """

    async def shows(smaller: Row) -> bool:
        return bool(aspect.wrong(smaller, bases, await tried(api, smaller)))

    row = await smallest(api, row, shows)
    try:
        await _accuse(api, aspect, row, bases)
    except Deviation as found:
        found.features = features_of(row.encoded(api.model))
        raise


async def _accuse(api: Api, aspect: Aspect, row: Row, bases: Bases) -> None:
    wrong = aspect.wrong(row, bases, await ask(api, row))
    if isinstance(wrong, Deviation):
        raise _about(wrong, row)
    expected = shown_by(aspect.words, row)
    if wrong is not None and not (aspect.by_text or aspect.by_score):
        raise Deviation(expected, f"{shown(wrong.seen)} instead of {shown(wrong.expected)}")

    async def as_asked(fresh: bool) -> Any:
        return _view(aspect, row, bases, await ask(api, row, fresh=fresh)).seen

    async def as_foretold(fresh: bool) -> Any:
        sources = [(prompt, row.suffix) for prompt in row.prompts]
        again = {**bases, **await bases_of(api, sources, fresh=True)} if fresh else bases
        return _view(aspect, row, again, await ask(api, row)).expected

    if aspect.by_score:
        await expect_scored_alike(as_asked, as_foretold, expected)
    else:
        await expect_agreement(as_asked, as_foretold, expected)


async def hold_served(api: Api, *, pairs: bool) -> None:
    """Hold that what is served alone is served together, and answered with what can be read.

    Raises:
        Refusal: a combination is declined; one that is promised before any other.
        Deviation: an answer cannot be read.
        Inconclusive: rows were not answered.
        NotApplicable: a check of the pairs finds it already.
    """
    met = await meet(api, pairs=pairs)
    own = _part(met, pairs=pairs)
    broken = [(row, told) for row, told in met.answers if isinstance(told, Refusal | Deviation)]
    if not pairs and any(row not in own for row, _ in broken):
        raise NotApplicable(
            "two settings are enough to show it, and the check of pairs judges that"
        )
    unreadable = [(row, told) for row, told in broken if isinstance(told, Deviation)]
    if unreadable:
        row = await smallest(api, unreadable[0][0], _gives(api, Deviation))
        again = await tried(api, row)
        raise _about(again if isinstance(again, Deviation) else unreadable[0][1], row)
    refusals: list[Refusal] = []
    for row, _ in sorted(broken, key=lambda each: len(each[0].traits))[:TRIES]:
        small = await smallest(api, row, _gives(api, Refusal))
        if isinstance(refusal := await tried(api, small), Refusal):
            refusals.append(_declining(refusal, small))
    if refusals:
        raise min(refusals, key=lambda one: not is_promised(one, api.contract))
    _hold_answered(met, own)


async def smallest(api: Api, row: Row, shows: Callable[[Row], Awaitable[bool]]) -> Row:
    """Take away from a row whatever it does not need to show something."""
    asked = {row.words}
    while True:
        for smaller in row.smaller():
            if smaller.words in asked:
                continue
            if len(asked) > MOST or not api.patience.take(1):
                return row
            asked.add(smaller.words)
            if await shows(smaller):
                row = smaller
                break
        else:
            return row


def shown_by(words: str, row: Row) -> str:
    """Say what must be, and what shows that it is not."""
    return f"{words}; the smallest request that shows otherwise: {row.words}"


def _about(deviation: Deviation, row: Row) -> Deviation:
    """Tell a deviation of the row that shows it."""
    expected = shown_by(deviation.expected, row)
    if isinstance(deviation, Absence):
        return Absence(deviation.thing, expected, deviation.seen, effect=deviation.effect)
    return Deviation(expected, deviation.seen, effect=deviation.effect)


def _declining(refusal: Refusal, row: Row) -> Refusal:
    """Tell a refusal of the row that is declined."""
    told = f"{refusal.message}; the smallest request that is declined: {row.words}"
    return Refusal(refusal.status, told, refusal.features, refusal.request)


def _gives(api: Api, judgement: type[Judgement]) -> Callable[[Row], Awaitable[bool]]:
    async def gives(row: Row) -> bool:
        return isinstance(await tried(api, row), judgement)

    return gives


def _view(aspect: Aspect, row: Row, bases: Bases, answer: Completion) -> View:
    """Look again; where there is nothing more to see, that is what is seen."""
    view = looked(aspect.look, row, bases, answer)
    return view if isinstance(view, View) else View((), ())


def _part(met: Met, *, pairs: bool) -> set[Row]:
    """Return the rows that cover the pairs, or those behind them."""
    rows = [row for row, _ in met.answers]
    return set(rows[: met.pairs] if pairs else rows[met.pairs :])


def _hold_answered(met: Met, own: Collection[Row]) -> None:
    for row, answer in met.answers:
        if row in own and isinstance(answer, Inconclusive):
            raise answer
