"""The permutation test is exact: beside enumeration, and over many nulls."""

import random
from itertools import product

import pytest

from conformance.drift.permutation import Pair, distances, least_p_value, p_value
from tests.lanes import by_default


def a_pair(rng: random.Random, old: int, new: int, shift: float = 0.0) -> Pair:
    def row(by: float) -> tuple[float, ...]:
        return tuple(rng.gauss(by, 1) for _ in range(3))

    return Pair(tuple(row(0) for _ in range(old)), tuple(row(shift) for _ in range(new)))


def test_distance_is_mean_difference_of_means() -> None:
    pair = Pair(old=((0.0, 1.0), (0.0, 3.0)), new=((1.0, 2.0), (3.0, 2.0)))
    assert distances(pair)[0] == pytest.approx((2.0 + 0.0) / 2)
    assert distances(pair, tolerance=0.5)[0] == pytest.approx(1.5 / 2)


def test_every_deal_is_tried() -> None:
    assert len(distances(a_pair(random.Random(1), 4, 4))) == 70
    assert len(distances(a_pair(random.Random(1), 24, 2))) == 325


def test_true_deal_comes_first_in_unequal_groups() -> None:
    pair = Pair(old=((0.0,), (0.0,), (0.0,)), new=((6.0,),))
    assert distances(pair)[0] == pytest.approx(6.0)


def test_p_value_is_that_of_enumeration() -> None:
    rng = random.Random(3)
    pairs = [a_pair(rng, 3, 3, 0.9), a_pair(rng, 3, 3, 0.9)]
    tables = [distances(pair) for pair in pairs]
    seen = sum(table[0] for table in tables) - 1e-12
    exact = sum(sum(deal) >= seen for deal in product(*tables)) / 400
    drawn = [p_value(pairs, random.Random(seed)) for seed in range(400)]
    # Stopping early makes single p-values coarse, and leaves their share below a level exact.
    assert sum(drawn) / len(drawn) == pytest.approx(exact, rel=0.15)


@pytest.mark.parametrize("count", by_default([200], [200, 10_000]))
def test_p_values_of_nulls_are_not_too_small(count: int) -> None:
    rng = random.Random(4)
    found = [p_value([a_pair(rng, 4, 4) for _ in range(2)], rng) for _ in range(count)]
    for level in (0.3, 0.1, 0.03):
        below = sum(p <= level for p in found) / count
        assert below <= level + 4 * (level / count) ** 0.5


def test_least_p_value_counts_equal_deals() -> None:
    rng = random.Random(5)
    assert least_p_value([a_pair(rng, 2, 2)]) == pytest.approx(2 / 6)
    assert least_p_value([a_pair(rng, 1, 2), a_pair(rng, 2, 2)]) == pytest.approx(1 / 3 * 2 / 6)
