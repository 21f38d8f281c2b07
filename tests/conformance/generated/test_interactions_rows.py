"""A row as a request, and made smaller."""

from __future__ import annotations

import json

import pytest

from conformance.checks._shared.requests import MAX_TOKENS, greedy
from conformance.generated.interactions_rows import ASCII, Row

OTHER = "一二三"
ROW = Row(
    (OTHER, ASCII),
    {
        "stream": True,
        "stream_options": {"include_usage": True},
        "n": 2,
        "best_of": 2,
        "echo": True,
        "stop": None,
        "seed": None,
    },
    limit=0,
    escaped=True,
)


def test_a_row_with_nothing_to_take_away_is_the_plainest_request() -> None:
    row = Row((ASCII,))
    assert row.body == greedy(ASCII)
    assert row.traits == ()
    assert list(row.smaller()) == []


def test_a_row_is_written_with_escapes_or_in_utf_8() -> None:
    written = ROW.encoded("m")
    assert written.isascii()
    assert json.loads(written)["prompt"] == [OTHER, ASCII]
    assert OTHER.encode() in Row((OTHER,)).encoded("m")


def test_one_prompt_can_be_an_array_and_ids_are_lists() -> None:
    assert Row((ASCII,), listed=True).body["prompt"] == [ASCII]
    assert Row(((1, 2),)).body["prompt"] == [1, 2]
    assert Row(((1, 2), (3,))).body["prompt"] == [[1, 2], [3]]


def test_what_makes_no_sense_alone_goes_along() -> None:
    assert "stream_options" not in ROW.without("stream").more
    assert "best_of" not in ROW.without("n").more
    assert ROW.without("echo").limit == 1
    assert ROW.without("limit").limit == 16


@pytest.mark.parametrize("trait", ROW.traits)
def test_a_trait_alone_keeps_what_it_cannot_be_without(trait: str) -> None:
    alone = ROW.alone(trait)
    assert trait in alone.traits
    needed = {"stream_options": {"stream"}, "best_of": {"n"}, "limit": {"echo"}}
    assert set(alone.traits) - {trait, "prompt"} <= needed.get(trait, set())


def size(row: Row) -> int:
    return len(row.prompts) + len(row.more) + row.escaped + (row.limit != MAX_TOKENS)


def test_every_smaller_row_lacks_something_and_each_trait_is_once_taken_away() -> None:
    smaller = list(ROW.smaller())
    assert all(size(row) < size(ROW) for row in smaller)
    assert {row.prompts for row in smaller if len(row.prompts) == 1} == {(OTHER,), (ASCII,)}
    for trait in set(ROW.traits) - {"batch"}:
        assert any(trait not in row.traits for row in smaller)


def test_words_tell_what_is_special() -> None:
    words = Row((ASCII,), {"stream": True, "n": 2}, limit=5).words
    assert words == f'prompt: "{ASCII}", stream: true, n: 2, max_tokens: 5'
    assert "JSON with escapes" in ROW.words
