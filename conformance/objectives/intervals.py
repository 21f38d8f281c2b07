"""The exact interval of a share: Clopper and Pearson, Biometrika 26 (1934), 404-413.

An objective about a percentile is one about a share, too: the 95th percentile is at most 2 s if at
most 5 % take longer. So one method is enough, and it assumes nothing about how times are spread. It
does assume that requests are independent, which those of one run are only roughly.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from conformance.model.objectives import CONFIDENCE

_STEPS = 60
"""Halvings of the interval from 0 to 1, after which it is one number."""


def share_interval(beyond: int, sample: int) -> tuple[float, float]:
    """Return both ends of the interval of a share of which a sample is known.

    Args:
        beyond: how many of the sample miss the bound.
        sample: the size of the sample, at least 1.
    """
    doubt = 1 - CONFIDENCE
    low = 0.0
    if beyond:
        low = _where(lambda share: 1 - _at_most(beyond - 1, sample, share) >= doubt)
    high = 1.0
    if beyond < sample:
        high = _where(lambda share: _at_most(beyond, sample, share) <= doubt)
    return low, high


def _where(holds: Callable[[float], bool]) -> float:
    """Return the least share for which a statement holds that holds for all greater ones."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _at_most(most: int, sample: int, share: float) -> float:
    """Return the probability of at most ``most`` in a sample, each with probability ``share``."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(most >= sample)
    known, unknown = math.log(share), math.log1p(-share)
    total = math.lgamma(sample + 1)
    return math.fsum(
        math.exp(
            total
            - math.lgamma(k + 1)
            - math.lgamma(sample - k + 1)
            + k * known
            + (sample - k) * unknown
        )
        for k in range(most + 1)
    )
