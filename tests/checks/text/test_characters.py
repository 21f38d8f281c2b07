"""Text as characters and as bytes, if a token or a chunk splits a character."""

from __future__ import annotations

import pytest

from conformance.checks._shared.characters import (
    has_broken_character,
    is_whole,
    join_tokens,
    solid,
    token_bytes,
)
from conformance.checks._shared.token_scores import alike


@pytest.mark.parametrize(
    ("token", "raw"),
    [
        (" red", b" red"),
        ("中", "中".encode()),
        (r"bytes:\xe4\xb8", b"\xe4\xb8"),
        (r"bytes: \xf0\x9f", b" \xf0\x9f"),
        (r"\xe4", rb"\xe4"),
        ("\ufffd", None),
    ],
)
def test_token_stands_for_bytes(token: str, raw: bytes | None) -> None:
    assert token_bytes(token) == raw


def test_parts_of_a_character_join_to_it() -> None:
    assert join_tokens(["a", r"bytes:\xe4\xb8", r"bytes:\xad", "b"]) == ("a中b", True)


def test_joining_ends_where_bytes_are_unknown() -> None:
    assert join_tokens(["a", "\ufffd", "b"]) == ("a", False)


@pytest.mark.parametrize("text", ["", "abc", "中🍎", "中\ufffd", "中\ufffd\ufffd\ufffd"])
def test_character_may_be_cut_at_the_end(text: str) -> None:
    assert not has_broken_character(text)


@pytest.mark.parametrize("text", ["\ufffda", "中\ufffd\n", "\ufffd" * 4, "\ud83c\udf4e", "a\ud83c"])
def test_half_a_character_elsewhere_is_broken(text: str) -> None:
    assert has_broken_character(text)


def test_comparison_ends_at_the_first_partial_character() -> None:
    assert solid("中\ufffd中") == "中"


@pytest.mark.parametrize(
    ("token", "whole"), [("中", True), (r"bytes:\xe4", False), ("\ufffd", False)]
)
def test_token_of_whole_characters(token: str, whole: bool) -> None:
    assert is_whole(token) is whole


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        ([None, -0.5], [None, -0.55], True),
        ([-0.5], [-0.7], False),
        ([-20.0], [-20.9], True),
        ([None], [-0.1], False),
        ([-0.1], [-0.1, -0.1], False),
        ([], [], True),
    ],
)
def test_scores_agree_within_arithmetic(
    left: list[float | None], right: list[float | None], agree: bool
) -> None:
    assert alike(left, right) is agree
