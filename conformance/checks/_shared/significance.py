"""Exact tests, and the probability of a false positive that a whole run may have.

Every statistical check computes how probable the observation is at a conforming endpoint. Below its
share of the run's allowance it reports a failure. Nothing here is an approximation: each function
returns a probability, or a bound for every conforming endpoint, whatever its model is. They are
natural logarithms, because products of many probabilities leave the range of a float.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import accumulate

ALLOWANCE = 1e-4
"""The probability of a false positive that all checks of a run together may have."""

SHARES: Mapping[str, float] = {
    "best-of.picks-the-likelier": 1e-5,
    "min-p.zero-varies": 4e-6,
    "n.samples-differ": 4e-6,
    "n.samples-differ-in-every-way": 5e-6,
    "seed.copies-differ": 2e-6,
    "seed.edges-told-apart": 2e-6,
    "seed.large-told-apart": 2e-6,
    "seed.negative-told-apart": 2e-6,
    "seed.null": 2e-6,
    "seed.null-repeats": 2e-6,
    "seed.others-differ": 2e-6,
    "seed.others-differ-in-every-way": 2e-6,
    "temperature.default-law": 5e-6,
    "temperature.default-varies": 4e-6,
    "temperature.law": 5e-6,
    "temperature.maximum-law": 5e-6,
    "temperature.maximum-varies": 4e-6,
    "temperature.null-in-every-way": 4e-6,
    "temperature.null-varies": 4e-6,
    "temperature.repeats-vary": 4e-6,
    "temperature.repeats-vary-in-every-way": 5e-6,
    "top-k.zero-varies": 4e-6,
    "top-p.null": 4e-6,
    "top-p.null-in-every-way": 4e-6,
}
"""The share of the allowance of each statistical check."""


def is_beyond_chance(check_id: str, log_chance: float) -> bool:
    """Return whether an observation is less probable than the check's share of the allowance."""
    return log_chance <= math.log(SHARES[check_id])


def chance(log_chance: float) -> str:
    """Return a probability for a reader: ``3.2e-07``, or ``1 in 12`` if it is not small."""
    value = math.exp(min(0.0, log_chance))
    return f"1 in {1 / value:.0f}" if value > 0.001 else f"{value:.1e}"


def log_arrangements(counts: Iterable[int]) -> float:
    """Return the number of orders of a multiset with these counts, as a logarithm."""
    known = list(counts)
    return math.lgamma(sum(known) + 1) - sum(math.lgamma(count + 1) for count in known)


def log_chance_of_equal_rows(rows: Sequence[Sequence[Hashable]]) -> float:
    """Return the log probability that random order gives each row a single value.

    Samples of one distribution are as probable in every order (the permutation test), so this holds
    whatever that distribution is. Rows must be equally long.

    Raises:
        ValueError: a row holds two values, or rows differ in length.
    """
    if len({len(row) for row in rows}) > 1 or any(len(set(row)) != 1 for row in rows):
        raise ValueError("rows of one value each, and of one length, are needed")
    kinds = Counter(row[0] for row in rows).values()
    length = len(rows[0]) if rows else 0
    return log_arrangements(kinds) - log_arrangements(count * length for count in kinds)


def others_before(chosen: int, candidates: int, others: int) -> list[float]:
    """Return the probabilities that 0, 1, … ``others`` exceed the worst of the best candidates.

    These are the ``chosen`` best of ``candidates``. All are drawn from one distribution, whatever
    it is; ties only lower the number (the negative hypergeometric distribution).
    """
    shapes = math.comb(others + candidates, candidates)
    return [
        math.comb(above + chosen - 1, above)
        * math.comb(others - above + candidates - chosen, others - above)
        / shapes
        for above in range(others + 1)
    ]


def sum_of(distributions: Iterable[Sequence[float]]) -> list[float]:
    """Return the distribution of a sum of independent numbers, given their distributions."""
    total = [1.0]
    for distribution in distributions:
        longer = [0.0] * (len(total) + len(distribution) - 1)
        for i, one in enumerate(total):
            for j, other in enumerate(distribution):
                longer[i + j] += one * other
        total = longer
    return total


def log_tail(distribution: Sequence[float], least: int) -> float:
    """Return the probability of ``least`` or more, as a logarithm."""
    return _log(math.fsum(distribution[least:]))


def critical_value(distribution: Sequence[float], share: float) -> int:
    """Return the least number whose tail is within a share of the allowance, or the length."""
    tails = list(accumulate(reversed(distribution)))[::-1]
    return next((i for i, tail in enumerate(tails) if tail <= share), len(tails))


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
