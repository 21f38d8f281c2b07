"""Robust line fitting (Theil–Sen estimator)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

MIN_POINTS = 4
"""Minimum number of distinct x values."""

REACH = 4.0
"""Minimum ratio of the largest to the smallest x; a narrow range gives no reliable slope."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """``y = offset + slope * x``; ``off`` is the median distance of the points from it."""

    offset: float
    slope: float
    off: float

    def at(self, x: float) -> float:
        """Return ``y`` at ``x``."""
        return self.offset + self.slope * x


def fitted(points: Sequence[Point]) -> Line | None:
    """Fit the median slope of all pairs and the median offset; None for too few points.

    Use :func:`is_straight` to check the quality of the fit.
    """
    distinct = sorted(set(points))
    places = sorted({x for x, _ in distinct})
    if len(places) < MIN_POINTS or places[-1] < REACH * max(places[0], 1.0):
        return None
    slope = median(
        (b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(distinct, 2) if a[0] < b[0]
    )
    offset = median(y - slope * x for x, y in distinct)
    off = median(abs(y - offset - slope * x) for x, y in distinct)
    return Line(offset, slope, off)


def is_straight(line: Line, points: Sequence[Point]) -> bool:
    """Return whether 80 % of the points lie within max(1, largest y / 50) of the line."""
    allowed = max(1.0, max(y for _, y in points) / 50)
    near = sum(abs(y - line.at(x)) <= allowed for x, y in points)
    return near >= 0.8 * len(points)
