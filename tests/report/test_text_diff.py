"""Two texts side by side: differences are marked and no text is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.report.text_diff import Segments, side_by_side
from tests.report.hostile import ATTACKS

TEXTS = st.text(
    st.one_of(st.sampled_from('ab 1,"{}:\n中文🍎\u200d\u0301\ufe0f\x00\u202e'), st.characters()),
    max_size=40,
)


def marked(segments: Segments) -> list[str]:
    return [fragment.text for fragment in segments if fragment.differs]


def joined(segments: Segments) -> str:
    return "".join(fragment.text for fragment in segments)


@pytest.mark.parametrize(
    ("left", "right", "lefts", "rights"),
    [
        ("status 400", "status 200: a completion", ["400"], ["200"]),
        ('reason = "length"', 'reason = "stop"', ["length"], ["stop"]),
        ("total_tokens = 19", "total_tokens = 20", ["19"], ["20"]),
        ("数到十三，完", "数到十四，完", ["三"], ["四"]),
        ("🍎🍌🍒 🍎", "🍎🍌 🍎", ["🍒"], []),
        ("family 👨‍👩‍👧 here", "family 👨‍👩‍👦 here", ["👨‍👩‍👧"], ["👨‍👩‍👦"]),
        ("a cafe\u0301 of", "a cafe of", ["cafe\u0301"], ["cafe"]),
        ("a line\nand a tab\t", "a line\r\nand a tab\x00", ["\n", "\t"], ["\r\n", "\x00"]),
        ("text = ' 13'", "text = '\u202e31 '", ["13"], ["\u202e31 "]),
        ("the same", "the same", [], []),
        ("the text", '["a 1", 7] vs. ["a 2", 7] (both reproduced)', [], ["1", "2"]),
        ("文本", '"a 1" 与 "a 2"（两者均可重现）', [], ["1", "2"]),
        ('text without ", 1"', 'text = " 13, 14, 1"', [", 1"], [", 1", ", 1"]),
        ('text 不含 "b"', 'text = "a b c"', ["b"], ["b"]),
        ('id other than "x-1"', 'id = "x-1"', ["x-1"], ["x-1"]),
    ],
)
def test_differences_are_marked(left: str, right: str, lefts: list, rights: list) -> None:
    one, other = side_by_side(left, right)
    assert "".join(marked(one)).strip(" '") == "".join(lefts).strip(" '")
    assert "".join(marked(other)).strip(" '") == "".join(rights).strip(" '")


@pytest.mark.parametrize(
    ("left", "right", "lefts", "rights"),
    [
        ("status 400 or 422", 'status 200: {"id":"400"}', ["400 or 422"], ["200"]),
        ("status 400", "status 500", ["400"], ["500"]),
        ("状态码 400 或 422", '状态码 200：{"a":1}', ["400 或 422"], ["200"]),
    ],
)
def test_only_the_status_is_marked(left: str, right: str, lefts: list, rights: list) -> None:
    one, other = side_by_side(left, right)
    assert [segment.text for segment in one if segment.differs] == lefts
    assert [segment.text for segment in other if segment.differs] == rights
    assert "".join(segment.text for segment in other) == right


def test_same_status_is_not_marked() -> None:
    one, other = side_by_side("status 400", "status 400: no JSON")
    assert not any(segment.differs for segment in one)
    assert [segment.text for segment in other if segment.differs] == [": no JSON"]


def test_unrelated_texts_are_not_marked() -> None:
    one, other = side_by_side("a usage object", '{"choices":[]}')
    assert marked(one) == marked(other) == []


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_is_unchanged(attack: str) -> None:
    one, other = side_by_side(attack, f"{attack} and more")
    assert joined(one) == attack
    assert joined(other) == f"{attack} and more"
    assert marked(one) == []


def test_long_different_texts_are_marked_as_a_whole() -> None:
    left = "same " + "a " * 2_000 + "end"
    right = "same " + "b " * 2_000 + "end"
    one, other = side_by_side(left, right)
    assert (joined(one), joined(other)) == (left, right)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TEXTS, TEXTS)
def test_unmarked_text_is_equal_on_both_sides(left: str, right: str) -> None:
    one, other = side_by_side(left, right)
    assert (joined(one), joined(other)) == (left, right)
    if marked(one) or marked(other):
        unmarked = ["".join(p.text for p in side if not p.differs) for side in (one, other)]
        assert unmarked[0] == unmarked[1]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(TEXTS)
def test_text_does_not_differ_from_itself(text: str) -> None:
    one, other = side_by_side(text, text)
    assert marked(one) == marked(other) == []


def test_repeated_words_are_not_compared_pairwise() -> None:
    left, right = "start " + "a b " * 300, "start " + "a c " * 300
    parted = side_by_side(left, right)
    assert [joined(segments) for segments in parted] == [left, right]
    # Two hundred marks would be the price of half a minute; one that spans all says as much.
    assert all(len(marked(segments)) <= 1 for segments in parted)
