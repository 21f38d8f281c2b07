"""Finds out beside which requests, or after which, a row has another text than alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from conformance.api import Api
from conformance.checks.isolation.comparing import MIN_CHARS, Swap, swapped_in
from conformance.checks.isolation.sending import Answer, Answers, again_alone, at_once, burst_of
from conformance.checks.isolation.stimuli import (
    OTHER_SEED,
    PLAIN_NEIGHBOUR,
    UNSEEDED,
    Row,
    neighbours_of,
)
from conformance.message import Message, say

ROUNDS, MIN_TIMES = 4, 2
"""How often rows are sent beside one neighbour, and how often one of them has to differ."""

HANG_UP_SECONDS = 0.1
"""In which a server notices that a client has left."""

AFTER_ROUNDS = 3
"""How often a row is sent after another one."""

BURSTS = 3
"""How often the whole burst is sent again, if no single neighbour shows the difference."""

SEED_ROUNDS = 4
"""How often seeded rows are sent beside a request without a seed, and beside one with a seed."""

MIN_SAMPLES = 4
"""Samples beside each that have to come back before they are compared."""

ANY_REQUEST = say("another request of any kind")

FirmIn = Callable[[Answers], Awaitable[Sequence[Row]]]


@dataclass(frozen=True)
class Trial:
    """A row that had another text than alone, and what it was sent beside, or after.

    Attributes:
        row: the row.
        seen: its response.
        beside: names what it was sent beside, or after.
        times: how often a row differed.
        rounds: how often they were sent.
        without: how often one differed beside a plain neighbour; None if that was not tried.
    """

    row: Row
    seen: Answer
    beside: Message
    times: int
    rounds: int
    without: int | None = None


async def trial_beside_one_neighbour(api: Api, rows: Sequence[Row], alone: Answers) -> Trial | None:
    """Return the neighbour beside which some rows differ again and again; None if there is none."""
    for neighbour in neighbours_of(api):
        found = await beside_one(api, rows, neighbour, alone)
        if found is None or found.times < MIN_TIMES:
            continue
        plain = await beside_one(api, rows, PLAIN_NEIGHBOUR, alone)
        without = plain.times if plain else 0
        name = ANY_REQUEST if without else neighbour.name
        return replace(found, beside=name, without=without)
    return None


async def beside_one(api: Api, rows: Sequence[Row], neighbour: Row, alone: Answers) -> Trial | None:
    """Send some rows at once with one neighbour; None if they have their texts in the first rounds.

    The neighbour comes first, so that the rows join its batch.
    """
    found: Trial | None = None
    times = 0
    for sent in range(1, ROUNDS + 1):
        if not api.retest_budget.take(len(rows) + 1):
            break
        answers = await at_once(api, [neighbour, *rows], fresh=True)
        row = next(iter(differing(rows, answers, alone)), None)
        if row is not None:
            times += 1
            found = Trial(row, answers[row], neighbour.name, times, sent)
        elif found is None and sent >= MIN_TIMES:
            break
        elif found is not None:
            found = replace(found, rounds=sent)
    return found


async def bursts_again(api: Api, firm_in: FirmIn, alone: Answers) -> Trial | None:
    """Send the whole burst again until a row differs; None if none does any more.

    ``firm_in`` returns the rows whose text differs and is no near-tie.
    """
    burst = burst_of(api, alone)
    for sent in range(1, BURSTS + 1):
        if not api.retest_budget.take(len(burst)):
            break
        answers = await at_once(api, burst, fresh=True)
        for row in await firm_in(answers):
            # The first burst, which gave rise to this, differed, too.
            others = say("{count} other requests", count=len(burst) - 1)
            return Trial(row, answers[row], others, 2, sent + 1)
    return None


async def swapped_again(api: Api, alone: Answers) -> tuple[list[Swap], int]:
    """Send the whole burst again until a row has the known response to another one.

    Returns:
        The swapped rows of the last burst, and how many responses all of them had.
    """
    burst = burst_of(api, alone)
    responses = 0
    for _ in range(BURSTS):
        if not api.retest_budget.take(len(burst)):
            break
        answers = await at_once(api, burst, fresh=True)
        responses += sum(row in answers for row in alone)
        swaps = swapped_in(answers, alone)
        if swaps:
            return swaps, responses
    return [], responses


def differing(rows: Sequence[Row], answers: Answers, alone: Answers) -> list[Row]:
    """Return the rows with another text than alone."""
    return [
        row for row in rows if row in answers and answers[row].texts not in {None, alone[row].texts}
    ]


async def after(api: Api, row: Row, earlier: Row, known: Answer) -> Trial | None:
    """Send a row alone right after another one; None if it always has its text."""
    found: Trial | None = None
    times = 0
    for sent in range(1, AFTER_ROUNDS + 1):
        if not api.retest_budget.take(2):
            break
        await again_alone(api, earlier)
        if earlier.read_events is not None:
            await asyncio.sleep(HANG_UP_SECONDS)
        answer = await again_alone(api, row)
        if answer is not None and answer.texts not in {None, known.texts}:
            times += 1
            found = Trial(row, answer, earlier.name, times, sent)
    return replace(found, rounds=AFTER_ROUNDS) if found else None


@dataclass(frozen=True)
class Lost:
    """How many of some samples with a seed were others than alone, and others from the beginning.

    Rounding in a batch may change a sample somewhere, and hardly ever at the beginning.
    """

    times: int = 0
    from_start: int = 0
    samples: int = 0


async def beside_seeds(api: Api, rows: Sequence[Row], alone: Answers) -> tuple[Lost, Lost]:
    """Send seeded rows beside a request without a seed, and as often beside one with a seed."""
    lost = {UNSEEDED: Lost(), OTHER_SEED: Lost()}
    for _ in range(SEED_ROUNDS):
        for neighbour, before in lost.items():
            if not api.retest_budget.take(len(rows) + 1):
                continue
            answers = await at_once(api, [neighbour, *rows], fresh=True)
            came = [row for row in rows if row in answers and answers[row].texts is not None]
            starts = [row for row in came if not begins_alike(answers[row], alone[row])]
            lost[neighbour] = Lost(
                before.times + len(differing(came, answers, alone)),
                before.from_start + len(starts),
                before.samples + len(came),
            )
    return lost[UNSEEDED], lost[OTHER_SEED]


def begins_alike(one: Answer, other: Answer) -> bool:
    """Return whether two texts have the same beginning."""
    return one.text[:MIN_CHARS] == other.text[:MIN_CHARS]
