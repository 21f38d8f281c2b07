"""The exact tests match a count of all cases; the checks share one error allowance."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import pytest

from conformance.checks._shared.significance import (
    ALLOWANCE,
    SHARES,
    chance,
    critical_value,
    is_beyond_chance,
    log_chance_of_equal_rows,
    log_tail,
    others_before,
    sum_of,
)
from conformance.engine.discovery import all_checks


def test_shares_do_not_exceed_the_allowance() -> None:
    assert ALLOWANCE <= 1e-4
    assert math.fsum(SHARES.values()) <= ALLOWANCE
    assert all(share > 0 for share in SHARES.values())


def test_every_share_belongs_to_a_check() -> None:
    assert set(SHARES) <= {check.id for check in all_checks()}


def test_check_reports_at_its_share_and_below() -> None:
    share = SHARES["n.samples-differ"]
    assert is_beyond_chance("n.samples-differ", math.log(share * 0.999))
    assert not is_beyond_chance("n.samples-differ", math.log(share * 1.001))


@pytest.mark.parametrize("rows", [["aa", "bb"], ["aa", "aa"], ["aa", "bb", "aa"], ["aaa", "bbb"]])
def test_equal_rows_match_a_count_of_all_orders(rows: list[str]) -> None:
    length = len(rows[0])
    orders = list(permutations("".join(rows)))
    equal = [
        order
        for order in orders
        if all(len(set(order[i : i + length])) == 1 for i in range(0, len(order), length))
    ]
    assert math.exp(log_chance_of_equal_rows(rows)) == pytest.approx(len(equal) / len(orders))


def test_one_value_throughout_shows_nothing() -> None:
    assert log_chance_of_equal_rows(["aaa"] * 9) == pytest.approx(0.0)


@pytest.mark.parametrize("rows", [["ab"], ["aa", "b"]])
def test_rows_that_differ_are_rejected(rows: list[str]) -> None:
    with pytest.raises(ValueError, match="one value"):
        log_chance_of_equal_rows(rows)


@pytest.mark.parametrize(("chosen", "candidates", "others"), [(1, 3, 2), (2, 4, 3), (3, 3, 4)])
def test_ranks_match_a_count_of_all_rankings(chosen: int, candidates: int, others: int) -> None:
    total = candidates + others
    counts = [0] * (others + 1)
    for places in combinations(range(total), candidates):  # ranks of the candidates, best first
        counts[places[chosen - 1] - (chosen - 1)] += 1
    expected = [count / math.comb(total, candidates) for count in counts]
    assert others_before(chosen, candidates, others) == pytest.approx(expected)


def test_sum_matches_a_count_of_all_pairs() -> None:
    one, other = [0.2, 0.5, 0.3], [0.6, 0.4]
    expected = [0.0] * 4
    for (i, p), (j, q) in product(enumerate(one), enumerate(other)):
        expected[i + j] += p * q
    assert sum_of([one, other]) == pytest.approx(expected)
    assert sum_of([]) == [1.0]


def test_critical_value_is_minimal() -> None:
    distribution = sum_of([others_before(2, 20, 20)] * 3)
    bound = critical_value(distribution, 1e-5)
    assert math.exp(log_tail(distribution, bound)) <= 1e-5
    assert math.exp(log_tail(distribution, bound - 1)) > 1e-5
    assert critical_value([0.5, 0.5], 0.1) == 2
    assert log_tail([0.5, 0.5], 2) == -math.inf


@pytest.mark.parametrize(
    ("log_chance", "words"),
    [(0.0, "1 in 1"), (math.log(1 / 12), "1 in 12"), (math.log(3.2e-7), "3.2e-07")],
)
def test_chance_is_formatted_for_a_reader(log_chance: float, words: str) -> None:
    assert chance(log_chance) == words
