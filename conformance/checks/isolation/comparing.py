"""Tells what other requests did to a response from what a conforming server may do.

Batching changes the last bits of a model's scores, which decides near-ties differently. So a text
that differs counts only if its row is repeated alone, and if one token leads by far at each
position up to the point where the texts diverge. A text that is the known response to another
prompt needs less: no near-tie leads there.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.api import Api
from conformance.checks._shared.nondeterminism import (
    lead_before,
    lead_in,
    parting_of,
    rows_up_to,
)
from conformance.checks.isolation.sending import Answer, Answers, again_alone
from conformance.checks.isolation.stimuli import Row
from conformance.evidence import Evidence
from conformance.judgement import BudgetSpent, Judgement

MIN_LEAD_NATS = 1.0
"""The lead of the best token over the next, in nats, that no rounding in a batch turns round."""

MIN_CHARS = 6
"""Characters by which a text shows which prompt it continues."""

TIMES_ALONE = 2
"""How often a row has to be repeated alone before another text beside others counts."""


@dataclass(frozen=True)
class Swap:
    """A row with the known response to another one."""

    row: Row
    other: Row
    seen: Answer


def swapped_in(answers: Answers, alone: Answers) -> list[Swap]:
    """Return the rows with the known response to another one."""
    known = distinct(alone)
    swaps = []
    for row, own in alone.items():
        seen = answers.get(row)
        if seen is None or seen.texts is None or _begin_alike(seen.text, own.text):
            continue
        for other, text in known.items():
            if other is not row and _begin_alike(seen.text, text):
                swaps.append(Swap(row, other, seen))
                break
    return swaps


def distinct(alone: Answers) -> dict[Row, str]:
    """Return the texts of greedy rows that no other row begins with."""
    return {
        row: answer.text
        for row, answer in alone.items()
        if row.is_greedy
        and not any(
            other is not row and answer.text[:MIN_CHARS] == theirs.text[:MIN_CHARS]
            for other, theirs in alone.items()
        )
    }


def _begin_alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= MIN_CHARS and long.startswith(short)


async def is_repeated_alone(api: Api, row: Row, known: Answer) -> bool:
    """Return whether a row has its known response whenever it is sent alone."""
    for _ in range(TIMES_ALONE):
        if not api.retest_budget.take(1):
            return False
        again = await again_alone(api, row)
        if again is None or again.texts != known.texts:
            return False
    return True


async def lead_of(api: Api, row: Row, known: Answer, seen: Answer) -> float | None:
    """Return the smallest lead of a best token up to where two texts diverge; None if unknown.

    The known response shows it if its log probabilities were requested; otherwise it is sent again.
    """
    parting = parting_of(known.texts, seen.texts)
    if row.body.get("logprobs", 0) > 1 and known.completion is not None:
        try:
            return lead_in(rows_up_to(parting, known.completion.choices, ""))
        except Judgement:
            return None

    async def ask(_: bool) -> object:
        again = await again_alone(api, row)
        return again and again.texts

    try:
        return await lead_before(parting, [ask], api, row.name)
    except BudgetSpent:
        raise
    except Judgement:
        return None


def is_another_backend(known: Answer, seen: Answer) -> bool:
    """Return whether the endpoint says that another backend made the second response."""
    before, now = (_fingerprint(answer) for answer in (known, seen))
    return None not in {before, now} and before != now


def _fingerprint(answer: Answer) -> bytes | None:
    _, name, rest = answer.exchange.body.partition(b'"system_fingerprint"')
    return rest.partition(b",")[0].strip() if name else None


def evidence(seen: Answer, *known: Answer) -> Evidence:
    """Return the response that deviates, and those that it is compared with."""
    return Evidence((seen.exchange,), tuple(answer.exchange for answer in known))
