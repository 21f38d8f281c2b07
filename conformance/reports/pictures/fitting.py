"""A line through points that a few strangers among them cannot bend (Theil and Sen)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

FEWEST = 4
"""Points at different places that a line needs before anything is said of it."""

REACH = 4.0
"""How many times the shortest distance from 0 the longest has to be: no slope without a lever."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """``y = offset + slope * x``; ``off`` is the median distance of the points from it."""

    offset: float
    slope: float
    off: float

    def at(self, x: float) -> float:
        """Say where the line is at ``x``."""
        return self.offset + self.slope * x


def fitted(points: Sequence[Point]) -> Line | None:
    """Fit the median slope of all pairs, and the median offset; None where too few points differ.

    The sentence that a line stands for is only as good as its points: see :func:`is_straight`.
    """
    distinct = sorted(set(points))
    places = sorted({x for x, _ in distinct})
    if len(places) < FEWEST or places[-1] < REACH * max(places[0], 1.0):
        return None
    slope = median(
        (b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(distinct, 2) if a[0] < b[0]
    )
    offset = median(y - slope * x for x, y in distinct)
    off = median(abs(y - offset - slope * x) for x, y in distinct)
    return Line(offset, slope, off)


def is_straight(line: Line, points: Sequence[Point]) -> bool:
    """Tell whether most points lie on the line, up to a token or a fiftieth of the largest."""
    allowed = max(1.0, max(y for _, y in points) / 50)
    near = sum(abs(y - line.at(x)) <= allowed for x, y in points)
    return near >= 0.8 * len(points)
