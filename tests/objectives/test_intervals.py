"""The exact interval of a share, against closed forms and the equations that define it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import CONFIDENCE, Measure, Objective
from conformance.objectives import share_interval


def chances(sample: int, share: float) -> list[float]:
    """Return the probability of each number from 0 to ``sample``."""
    return [
        math.comb(sample, k) * share**k * (1 - share) ** (sample - k) for k in range(sample + 1)
    ]


@pytest.mark.parametrize(
    ("beyond", "sample", "low", "high"),
    [
        (0, 59, 0.0, 1 - 0.05 ** (1 / 59)),
        (10, 10, 0.05**0.1, 1.0),
    ],
)
def test_extremes_have_closed_forms(beyond: int, sample: int, low: float, high: float) -> None:
    assert share_interval(beyond, sample) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("beyond", "sample"), [(1, 10), (5, 100), (40, 60)])
def test_ends_leave_five_per_cent_of_doubt(beyond: int, sample: int) -> None:
    low, high = share_interval(beyond, sample)
    assert sum(chances(sample, low)[beyond:]) == pytest.approx(1 - CONFIDENCE)
    assert sum(chances(sample, high)[: beyond + 1]) == pytest.approx(1 - CONFIDENCE)


@given(st.integers(1, 300), st.data())
def test_share_of_the_sample_is_inside(sample: int, data: st.DataObject) -> None:
    beyond = data.draw(st.integers(0, sample))
    low, high = share_interval(beyond, sample)
    assert 0 <= low <= beyond / sample <= high <= 1


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_each_end_is_wrong_as_rarely_as_said(sample: int, share: float) -> None:
    intervals = [share_interval(k, sample) for k in range(sample + 1)]
    likely = chances(sample, share)
    above = sum(c for c, (low, _) in zip(likely, intervals, strict=True) if low > share)
    below = sum(c for c, (_, high) in zip(likely, intervals, strict=True) if high < share)
    assert max(above, below) <= 1 - CONFIDENCE + 1e-9


@pytest.mark.parametrize(("percentile", "least"), [(50, 5), (90, 29), (95, 59), (99, 299)])
def test_least_sample_is_the_first_that_can_tell(percentile: int, least: int) -> None:
    objective = Objective(Measure.LATENCY, 2.0, percentile)
    assert objective.least_sample == least
    assert share_interval(0, least)[1] <= objective.tolerated
    assert share_interval(0, least - 1)[1] > objective.tolerated
