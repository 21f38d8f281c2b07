"""How expectations raise failures."""

from __future__ import annotations

import math
from typing import Any

import pytest

from conformance.judgement import BudgetSpent, Failure, NotApplicable, expect, shown
from conformance.model import Effect


def never(_: object) -> bool:
    return False


@pytest.mark.parametrize(
    "held",
    [
        lambda: expect(1, "n").equals(1),
        lambda: expect("a", "x").differs_from("b"),
        lambda: expect(None, "x").one_of("a", None),
        lambda: expect(2, "n").at_least(2),
        lambda: expect(2, "n").at_most(2),
        lambda: expect("abc", "text").contains("b"),
        lambda: expect("abc", "text").lacks("d"),
        lambda: expect("abc", "text").starts_with("ab"),
        lambda: expect("", "text").is_empty(),
        lambda: expect([0], "list").is_not_empty(),
        lambda: expect([0, 1], "list").has_length(2),
        lambda: expect(4, "n").satisfies(lambda n: n % 2 == 0, "that is even"),
    ],
)
def test_true_expectations_raise_nothing(held: Any) -> None:
    assert held() is None


@pytest.mark.parametrize(
    ("broken", "expected", "seen"),
    [
        (lambda: expect(2, "n").equals(1), "n = 1", "n = 2"),
        (lambda: expect(True, "n").equals(1), "n = 1", "n = true"),
        (lambda: expect("a", "x").differs_from("a"), 'x other than "a"', 'x = "a"'),
        (lambda: expect(3, "x").one_of("a", None), 'x one of "a", null', "x = 3"),
        (lambda: expect(1, "n").at_least(2), "n ≥ 2", "n = 1"),
        (lambda: expect(3, "n").at_most(2), "n ≤ 2", "n = 3"),
        (lambda: expect("abc", "text").contains("d"), 'text containing "d"', 'text = "abc"'),
        (lambda: expect("abc", "text").lacks("b"), 'text without "b"', 'text = "abc"'),
        (lambda: expect("abc", "t").starts_with("b"), 't starting with "b"', 't = "abc"'),
        (lambda: expect("a", "text").is_empty(), "text empty", 'text = "a"'),
        (lambda: expect([], "list").is_not_empty(), "list not empty", "list = []"),
        (lambda: expect([0], "list").has_length(2), "list of length 2", "list = [0]"),
        (
            lambda: expect(3, "n").satisfies(lambda _: False, "that is even"),
            "n that is even",
            "n = 3",
        ),
    ],
)
def test_failed_expectation_shows_expected_and_seen(broken: Any, expected: str, seen: str) -> None:
    with pytest.raises(Failure) as caught:
        broken()
    assert (caught.value.expected, caught.value.seen) == (expected, seen)
    assert str(caught.value) == f"expected {expected}; got {seen}"


def test_expectation_passes_its_effect_on() -> None:
    with pytest.raises(Failure) as caught:
        expect(1, "n", effect=Effect.IGNORED).equals(2)
    assert caught.value.effect is Effect.IGNORED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("四", '"四"'),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        (b"raw", "b'raw'"),
        ({1}, "{1}"),
        (math.inf, "Infinity"),
    ],
)
def test_values_are_shown_as_json_if_possible(value: object, text: str) -> None:
    assert shown(value) == text


def test_long_value_is_cut() -> None:
    assert shown("x" * 1000, limit=10) == '"xxxxxxxx…'


def test_spent_budget_makes_a_check_not_applicable() -> None:
    assert isinstance(BudgetSpent("nothing left"), NotApplicable)
