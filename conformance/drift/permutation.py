"""A permutation test of two groups of answers to the same prompts.

If nothing has changed, each answer to a prompt could as well have come in the other group. So the
distance between the groups is compared with the distances after the answers of each prompt were
dealt out anew. The test is exact for any distribution of answers: a difference is reported falsely
with a probability of at most the level, if answers to one prompt are exchangeable.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, fsum, prod

Row = Sequence[float]
"""One answer as numbers, a column for each token that any answer to the prompt has."""

MOST_DEALS = 19_999
"""Deals that are drawn at most; the least p-value is then 0.00005."""

ENOUGH_EXCEEDED = 10
"""Deals at least as distant as what was seen, after which no more are drawn; the p-value is then
their share, which keeps the test exact (Besag and Clifford, Biometrika 78, 1991)."""

BLOCK = 250
"""Deals drawn at once."""

ROUNDING = 1e-12
"""Distances that differ by less are equal: they are sums of the same numbers in another order."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The answers to one prompt in both groups; each group has at least one row."""

    old: tuple[Row, ...]
    new: tuple[Row, ...]


def distances(pair: Pair, tolerance: float = 0.0) -> list[float]:
    """Return the distance between the groups for every deal of the answers, the true deal first.

    The distance is the mean over the columns of the absolute difference of the groups' means, of
    which ``tolerance`` is taken away first. There are "n over k" deals of n answers.
    """
    fewer, more = sorted((pair.old, pair.new), key=len)
    rows = [*fewer, *more]
    first, count = len(fewer), len(rows)
    columns = list(zip(*rows, strict=True))
    totals = [fsum(column) for column in columns]
    found = []
    for chosen in combinations(range(count), first):
        beyond = 0.0
        for column, total in zip(columns, totals, strict=True):
            part = fsum(column[i] for i in chosen)
            gap = abs(part / first - (total - part) / (count - first))
            beyond += max(0.0, gap - tolerance)
        found.append(beyond / len(columns))
    return found


def p_value(
    pairs: Sequence[Pair], rng: random.Random, *, tolerance: float = 0.0, most: int = MOST_DEALS
) -> float:
    """Return how often a random deal is at least as distant as what was seen.

    Args:
        pairs: the answers to each prompt.
        rng: draws the deals.
        tolerance: differences up to this do not count.
        most: deals to draw at most.
    """
    tables = [distances(pair, tolerance) for pair in pairs]
    seen = fsum(table[0] for table in tables) - ROUNDING
    enough = max(1, ENOUGH_EXCEEDED * (most + 1) // (MOST_DEALS + 1))
    drawn = exceeded = 0
    while drawn < most:
        size = min(BLOCK, most - drawn)
        dealt = zip(*(rng.choices(table, k=size) for table in tables), strict=True)
        for deal in dealt:
            drawn += 1
            exceeded += sum(deal) >= seen
            if exceeded >= enough:
                share: float = exceeded / drawn
                return share
    return (exceeded + 1) / (most + 1)


def deals_of(pair: Pair) -> int:
    """Return in how many ways the answers can be dealt out."""
    return comb(len(pair.old) + len(pair.new), len(pair.old))


def least_p_value(pairs: Sequence[Pair]) -> float:
    """Return the share of deals that separate the groups as the true one does, which is the least.

    Groups of equal size are as far apart when they are exchanged, in each prompt by itself.
    """
    share: float = prod(
        (2 if len(pair.old) == len(pair.new) else 1) / deals_of(pair) for pair in pairs
    )
    return share
