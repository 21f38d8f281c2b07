"""A rule over many cases fails with the list of the failing ones."""

import pytest

from tests.cases import for_each_case


def test_failure_lists_every_case() -> None:
    @for_each_case(("one", "other"), [(1, 1), pytest.param(1, 2, id="unequal"), (3, 4)])
    def equal(one: int, other: int) -> None:
        assert one == other

    with pytest.raises(AssertionError) as caught:
        equal()
    result = str(caught.value)
    assert result.startswith("2 of 3 cases fail:")
    assert "[unequal] " in result
    assert "[3, 4] " in result


def test_unexpected_error_names_its_case() -> None:
    @for_each_case("number", [1, 0], ids=["one", "zero"])
    def divides(number: int) -> None:
        assert 1 / number

    with pytest.raises(ZeroDivisionError) as caught:
        divides()
    assert caught.value.__notes__ == ["in the case [zero]"]


def test_rule_needs_cases() -> None:
    with pytest.raises(ValueError, match="over no cases"):
        for_each_case("one", [])


@for_each_case("number", [1, 2])
@for_each_case("letter", "ab")
def test_fixtures_and_rules_combine(tmp_path, number: int, letter: str) -> None:
    assert tmp_path.is_dir()
    assert number < 3
    assert letter in "ab"
