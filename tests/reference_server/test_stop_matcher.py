"""Where stop sequences end a text, in any chunks, and which text is held back."""

from typing import SupportsIndex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.engine.stop import StopMatcher

exactly = settings(derandomize=True, deadline=None, max_examples=500)
# Few letters, so that sequences overlap with themselves and each other.
LETTERS = st.text(alphabet="ab世😀", max_size=40)
SEQUENCES = st.lists(st.text(alphabet="ab世😀", min_size=1, max_size=5), min_size=1, max_size=4)


@st.composite
def pieces(draw: st.DrawFn) -> list[str]:
    text = draw(LETTERS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def cut_by_definition(text: str, sequences: list[str]) -> str:
    """Read on until some sequence ends the text read so far; cut off the longest that does."""
    for end in range(1, len(text) + 1):
        ending = [s for s in sequences if text[:end].endswith(s)]
        if ending:
            return text[: end - max(map(len, ending))]
    return text


@exactly
@given(pieces(), SEQUENCES)
def test_cut_does_not_depend_on_the_chunks(parts: list[str], sequences: list[str]) -> None:
    matcher = StopMatcher(sequences)
    out = "".join(matcher.feed(part) for part in parts) + matcher.flush()
    text = "".join(parts)
    assert out == cut_by_definition(text, sequences)
    assert (matcher.found is not None) == (out != text)


@exactly
@given(pieces(), SEQUENCES)
def test_held_text_is_the_longest_possible_beginning(
    parts: list[str], sequences: list[str]
) -> None:
    matcher = StopMatcher(sequences)
    read = out = ""
    for part in parts:
        read += part
        out += matcher.feed(part)
        if matcher.found:
            break
        beginnings = [s[:size] for s in sequences for size in range(1, len(s))]
        longest = max((len(b) for b in beginnings if read.endswith(b)), default=0)
        assert matcher.held == longest
        assert out == read[: len(read) - longest]


@pytest.mark.parametrize(
    ("sequences", "parts", "expected"),
    [
        (["STOP"], ["go S", "T", "OP now"], "go "),
        (["aab"], ["a", "a", "a", "b"], "a"),
        (["bc", "abc"], ["abc"], ""),
        (["b", "a"], ["xab"], "x"),
        (["世界"], ["你好世", "界"], "你好"),
        (["e\u0301"], ["cafe", "\u0301"], "caf"),
    ],
)
def test_sequence_completed_first_ends_the_text(
    sequences: list[str], parts: list[str], expected: str
) -> None:
    matcher = StopMatcher(sequences)
    assert "".join(matcher.feed(part) for part in parts) + matcher.flush() == expected
    assert matcher.found


def test_nothing_is_released_after_a_stop() -> None:
    matcher = StopMatcher(["."])
    assert matcher.feed("one. two") == "one"
    assert matcher.feed(" three") == matcher.flush() == ""


def test_four_long_sequences_hold_the_longest_match() -> None:
    sequences = ["a" * 999 + last for last in "bcde"]
    matcher = StopMatcher(sequences)
    assert matcher.feed("a" * 2000) == "a" * 1001
    assert matcher.feed("x") == "a" * 999 + "x"


class Counted(str):
    """A string that counts how often a character of it is looked at."""

    __slots__ = ("looks",)

    def __new__(cls, text: str) -> "Counted":
        made = super().__new__(cls, text)
        made.looks = 0
        return made

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        self.looks += 1
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "text",
    ["a" * 20_000, ("a" * 998 + "x") * 20, ("a" * 999 + "x") * 20, "ab" * 10_000, "x" * 20_000],
    ids=["all but the end", "short of it", "up to it", "begins and fails", "nothing of it"],
)
def test_near_misses_cost_linear_time(text: str) -> None:
    sequences = [Counted("a" * 999 + last) for last in "bcd"] + [Counted("ab" * 499 + "ac")]
    matcher = StopMatcher(sequences)
    out = "".join(matcher.feed(character) for character in text) + matcher.flush()
    # Each failed comparison gives up a part of what earlier ones had matched.
    for sequence in sequences:
        assert sequence.looks <= 3 * len(text) + 3 * len(sequence)
    assert text.startswith(out)
    assert (matcher.found is not None) == (out != text)
