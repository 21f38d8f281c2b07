"""The p-value of counts under a distribution: an exact test, by simulation."""

from collections.abc import Hashable, Mapping

import numpy as np

RARE = 5
"""Cells expected fewer times than this are counted together."""
SIMULATIONS = 10_000


def p_value(counts: Mapping[Hashable, int], expected: Mapping[Hashable, float]) -> float:
    """The share of drawn tables that are at least as far from the expected as this one.

    `expected` are probabilities that sum to 1. Distance is Pearson's chi-square statistic; its
    distribution is not approximated but simulated, so small numbers do no harm. What was counted
    and cannot happen gives 0.
    """
    if any(not expected.get(cell) for cell in counts):
        return 0.0
    total = sum(counts.values())
    frequent = [cell for cell, chance in expected.items() if chance * total >= RARE]
    chances = np.array([expected[cell] for cell in frequent])
    chances = np.append(chances, max(0.0, 1 - chances.sum()))
    seen = np.array([counts.get(cell, 0) for cell in frequent])
    seen = np.append(seen, total - seen.sum())
    drawn = np.random.default_rng(0).multinomial(total, chances, SIMULATIONS)
    as_far = (_distance(drawn, chances * total) >= _distance(seen, chances * total)).sum()
    return float((1 + as_far) / (1 + SIMULATIONS))


def _distance(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return ((counts - expected) ** 2 / np.maximum(expected, 1e-12)).sum(axis=-1)
