"""Strategies generate every option, and small requests."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis.errors import NoSuchExample

from conformance.generation.strategies import (
    BLANKS,
    HIDDEN,
    MARKS,
    NARROW,
    WIDE,
    Cut,
    Scene,
    cuts,
    one_of,
    scenes,
)

EXHAUSTIVE = settings(
    max_examples=400, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 16])
def test_every_option_is_generated(size: int) -> None:
    options = [f"option {number}" for number in range(size)]
    for option in options:
        assert find(one_of(options), lambda drawn, it=option: drawn == it, settings=EXHAUSTIVE)
    assert find(one_of(options), lambda _: True, settings=EXHAUSTIVE) == options[0]
    with pytest.raises(NoSuchExample):
        find(one_of(options), lambda drawn: drawn not in options, settings=EXHAUSTIVE)


@given(scenes())
@EXHAUSTIVE
def test_scenes_are_small_and_diverse(scene: Scene) -> None:
    assert scene.narrow.isascii()
    assert any(map(str.isupper, scene.narrow))
    assert scene.narrow != scene.narrow.lstrip() or scene.narrow[0] in ",. -"
    assert not scene.wide.isascii()
    assert len(scene.narrow.encode()) <= 24
    assert len(scene.wide.encode()) <= 45
    assert 4 <= scene.limit <= 6


@given(cuts())
@EXHAUSTIVE
def test_cut_lies_within_the_text(cut: Cut) -> None:
    assert 0 <= cut.place < 8
    assert 1 <= cut.length <= 4
    # Every document that states a limit allows four sequences.
    assert cut.decoys + 1 <= 4


def test_pieces_have_many_kinds_of_characters() -> None:
    every = "".join(itertools.chain(NARROW, WIDE, BLANKS, MARKS, HIDDEN))
    kinds = {unicodedata.category(character) for character in every}
    assert {"Lu", "Ll", "Lo", "Nd", "Mn", "So", "Cc", "Cf", "Zs", "Po", "Sm"} <= kinds
    assert {len(character.encode()) for character in every} == {1, 2, 3, 4}
    assert any("\u200d" in fragment for fragment in WIDE)
    assert any(unicodedata.bidirectional(fragment[0]) == "AL" for fragment in WIDE)
