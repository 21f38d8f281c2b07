"""How far offsets advance, where tokens are written in ways that do not tell their length."""

from __future__ import annotations

import pytest

from conformance.checks._scores import hold_offsets_advance
from conformance.completion import Choice
from conformance.judgement import Deviation


def choice(tokens: list[str], offsets: list[int]) -> Choice:
    return Choice({"logprobs": {"tokens": tokens, "text_offset": offsets}}, "choices[0]")


@pytest.mark.parametrize("part", ["", "\ufffd"], ids=["nothing", "U+FFFD"])
def test_parts_of_a_character_may_be_written_as_what_has_no_length(part: str) -> None:
    hold_offsets_advance(choice(["a", part, part, part, "b"], [0, 1, 1, 1, 2]))


def test_parts_written_as_bytes_advance_together() -> None:
    parts = ["bytes:\\xe8", "bytes:\\x83", "bytes:\\xa1"]
    hold_offsets_advance(choice(["a", *parts, "b"], [0, 1, 1, 1, 2]))
    with pytest.raises(Deviation):
        hold_offsets_advance(choice(["a", *parts, "b", "c"], [0, 1, 1, 1, 4, 5]))


def test_whole_tokens_around_a_part_advance_all_the_same() -> None:
    with pytest.raises(Deviation, match="advance by 2 over 'ab'"):
        hold_offsets_advance(choice(["", "ab", "c"], [0, 0, 1]))
