"""Types in the notation of the pages."""

from __future__ import annotations

import pytest

from conformance.docs_audit.json_types import fits, overlap, type_of, types_in


@pytest.mark.parametrize(
    ("written", "types"),
    [
        ("string", ("string",)),
        ("string / array", ("string", "array")),
        ("string 或 array", ("string", "array")),
        ("string/array", ("string", "array")),
        ("Integer or null", ("integer", "null")),
        ("map", ("object",)),
        ("float | double", ("number",)),
        ("list of strings", ("array",)),
        ("whatever", ()),
        ("", ()),
    ],
)
def test_types_are_read_from_words(written: str, types: tuple[str, ...]) -> None:
    assert types_in(written) == types


def test_whole_number_is_an_integer_and_a_number() -> None:
    assert fits(7, ("integer",))
    assert fits(7, ("number",))
    assert fits(0.5, ("number",))
    assert not fits(0.5, ("integer",))


def test_boolean_is_no_number() -> None:
    assert not fits(True, ("integer", "number"))
    assert fits(False, ("boolean",))


def test_types_overlap_where_a_value_is_of_both() -> None:
    assert overlap(("integer",), ("number",))
    assert overlap(("string", "null"), ("null",))
    assert not overlap(("string",), ("integer", "number"))


def test_json_has_no_sets() -> None:
    assert [type_of(v) for v in (None, "", [], {})] == ["null", "string", "array", "object"]
    with pytest.raises(TypeError, match="JSON has no set"):
        type_of(set())
