"""How findings quote values and lists."""

from __future__ import annotations

import pytest

from conformance.docs_audit.lint.messages import MAX_VALUE_CHARS, cut, listed, verb, written


@pytest.mark.parametrize(
    ("names", "result"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed(names: list[str], result: str) -> None:
    assert listed(names) == result


def test_values_are_written_as_readable_json() -> None:
    assert written("春\n") == '"春\\n"'
    assert written(None) == "null"


def test_long_value_is_visibly_cut() -> None:
    assert cut("x" * MAX_VALUE_CHARS) == "x" * MAX_VALUE_CHARS
    assert cut("x" * (MAX_VALUE_CHARS + 1)) == "x" * (MAX_VALUE_CHARS - 1) + "…"


def test_verb_fits_the_number() -> None:
    assert [verb(count, "is", "are") for count in (0, 1, 2)] == ["are", "is", "are"]
