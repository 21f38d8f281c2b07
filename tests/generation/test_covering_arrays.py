"""Covering arrays contain every allowed combination and no forbidden one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from conformance.generation.covering_arrays import Combination, pairwise, threewise

FACTORS = {"a": ("1", "2", "3"), "b": ("1", "2"), "c": ("1", "2"), "d": ("1", "2", "3")}
ALLOWED = ((("a", "b"), lambda row: (row["a"], row["b"]) != ("3", "2")),)


def tuples(size: int, names: Sequence[str]) -> set[tuple[tuple[str, str], ...]]:
    """Every combination of values of so many factors that may stand together."""
    return {
        chosen
        for some in itertools.combinations(names, size)
        for chosen in itertools.product(*([(n, level) for level in FACTORS[n]] for n in some))
        if not {("a", "3"), ("b", "2")} <= set(chosen)
    }


def is_met(chosen: tuple[tuple[str, str], ...], rows: Sequence[Combination]) -> bool:
    return any(set(chosen) <= set(row.items()) for row in rows)


def missing(size: int, names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[object]:
    return [chosen for chosen in tuples(size, names) if not is_met(chosen, rows)]


def test_any_two_values_meet_that_may() -> None:
    rows = pairwise(FACTORS, ALLOWED)
    assert missing(2, list(FACTORS), rows) == []
    assert not is_met((("a", "3"), ("b", "2")), rows)
    assert len(rows) < 3 * 2 * 2 * 3


def test_three_values_of_a_group_meet() -> None:
    pairs = pairwise(FACTORS, ALLOWED)
    rows = threewise(FACTORS, ALLOWED, among=[("a", "b", "c")], given=pairs)
    assert rows[: len(pairs)] == pairs
    assert missing(3, ["a", "b", "c"], rows) == []
    assert missing(3, ["a", "b", "c"], pairs) != []
    assert not is_met((("a", "3"), ("b", "2")), rows)


def test_group_with_two_known_factors_adds_nothing() -> None:
    pairs = pairwise(FACTORS, ALLOWED)
    assert threewise(FACTORS, ALLOWED, among=[("a", "b", "unknown")], given=pairs) == pairs


def test_rows_are_reproducible() -> None:
    assert pairwise(FACTORS, ALLOWED) == pairwise(FACTORS, ALLOWED)
