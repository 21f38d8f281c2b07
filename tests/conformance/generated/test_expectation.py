"""What must come back to a row, told from the plainest answers; and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.completion import Completion
from conformance.generated.expectation import Base, Expected, base_of, expected_of
from conformance.generated.interactions_rows import ASCII, Row
from conformance.judgement import Deviation

OTHER = "七"
TOKENS = (" 7", ",", " 8", ",", " 9", ",")
BASE = Base("".join(TOKENS), "stop", TOKENS, None, prompt_tokens=5, completion_tokens=6)
LONG = Base("ab" * 16, "length", ("ab",) * 16, None, prompt_tokens=3, completion_tokens=16)
BASES = {(ASCII, None): BASE, (OTHER, None): LONG}


def only(limit: int = 16, **more: Any) -> Expected:
    (expected,) = expected_of(Row((ASCII,), more, limit=limit), BASES)
    return expected


@pytest.mark.parametrize(
    ("limit", "text", "reason", "tokens"),
    [
        pytest.param(16, " 7, 8, 9,", "stop", 6, id="whole"),
        pytest.param(3, " 7, 8", "length", 3, id="cut by the limit"),
        pytest.param(0, "", "length", 0, id="nothing"),
        pytest.param(6, " 7, 8, 9,", None, None, id="ends at the limit: either reason is right"),
    ],
)
def test_a_limit_cuts_at_a_token(
    limit: int, text: str, reason: str | None, tokens: int | None
) -> None:
    assert only(limit) == Expected(ASCII, text, reason, tokens)


@pytest.mark.parametrize(
    ("stop", "text"),
    [(" 8", " 7,"), (["9", " 8"], " 7,"), ([" 7"], ""), (["§", ", 9"], " 7, 8")],
)
def test_the_earliest_sequence_cuts(stop: object, text: str) -> None:
    assert only(stop=stop) == Expected(ASCII, text, "stop", None, stopped=True)


@pytest.mark.parametrize("stop", [None, "", "§", "8.*", "6, 7"])
def test_what_is_not_in_the_answer_cuts_nothing(stop: object) -> None:
    assert only(stop=stop) == only()


def test_a_sequence_behind_the_limit_is_not_met() -> None:
    assert only(2, stop=" 8") == Expected(ASCII, " 7,", "length", 2)


def test_choices_come_by_prompt() -> None:
    told = expected_of(Row((ASCII, OTHER), {"n": 2}), BASES)
    assert [expected.prompt for expected in told] == [ASCII, ASCII, OTHER, OTHER]
    assert told[2] == Expected(OTHER, "ab" * 16, "length", 16)


def test_a_suffix_has_an_answer_of_its_own() -> None:
    assert only(suffix="x") == Expected(ASCII)


def test_without_tokens_only_the_whole_can_be_told() -> None:
    base = Base("abc", "length")
    assert [base.within(limit) for limit in (16, 5, 0)] == ["abc", None, ""]


def test_half_a_character_is_left_out() -> None:
    cut = Base("一\ufffd", "length", ("一", "bytes:\\xe4"))
    assert cut.within(16) == "一"
    assert cut.within(2) == "一"
    parts = Base("一", "length", ("bytes:\\xe4\\xb8", "bytes:\\x80"))
    assert [parts.within(limit) for limit in (1, 2)] == ["", "一"]
    assert Base("一", "length", ("\ufffd", "\ufffd")).within(1) is None


def test_a_sequence_that_may_lie_behind_half_a_character_tells_no_reason() -> None:
    bases = {(ASCII, None): Base("一\ufffdx", "length", None, None, 1, 16)}
    (expected,) = expected_of(Row((ASCII,), {"stop": "x"}), bases)
    assert expected == Expected(ASCII, "一")


def test_a_listed_end_token_is_no_text() -> None:
    ended = Base("ab", "stop", ("a", "b", "<|endoftext|>"))
    assert [ended.within(limit) for limit in (1, 2, 3)] == ["a", "ab", "ab"]


def test_a_base_is_read_from_an_answer_and_what_is_missing_is_none() -> None:
    choice = {"index": 0, "text": "a", "finish_reason": "length", "logprobs": None}
    answer = Completion(None, {"choices": [choice]})  # type: ignore[arg-type]  # no exchange is read
    assert base_of(answer) == Base("a", "length")
    with pytest.raises(Deviation):
        base_of(Completion(None, {"choices": [{"index": 0}]}))  # type: ignore[arg-type]
