"""Responses to test cases are predicted from baselines, as far as they can be."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.checks.interactions.cases import ASCII, TestCase
from conformance.checks.interactions.predictions import Baseline, Prediction, baseline_of, predict
from conformance.judgement import Failure
from conformance.protocol.completion import Completion

OTHER = "七"
TOKENS = (" 7", ",", " 8", ",", " 9", ",")
BASELINE = Baseline("".join(TOKENS), "stop", TOKENS, None, prompt_tokens=5, completion_tokens=6)
LONG = Baseline("ab" * 16, "length", ("ab",) * 16, None, prompt_tokens=3, completion_tokens=16)
BASELINES = {(ASCII, None): BASELINE, (OTHER, None): LONG}


def only(limit: int = 16, **more: Any) -> Prediction:
    (expected,) = predict(TestCase((ASCII,), more, max_tokens=limit), BASELINES)
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
def test_limit_cuts_at_a_token(
    limit: int, text: str, reason: str | None, tokens: int | None
) -> None:
    assert only(limit) == Prediction(ASCII, text, reason, tokens)


@pytest.mark.parametrize(
    ("stop", "text"),
    [(" 8", " 7,"), (["9", " 8"], " 7,"), ([" 7"], ""), (["§", ", 9"], " 7, 8")],
)
def test_earliest_sequence_cuts(stop: object, text: str) -> None:
    assert only(stop=stop) == Prediction(ASCII, text, "stop", None, stopped=True)


@pytest.mark.parametrize("stop", [None, "", "§", "8.*", "6, 7"])
def test_absent_sequence_cuts_nothing(stop: object) -> None:
    assert only(stop=stop) == only()


def test_sequence_after_the_limit_is_not_met() -> None:
    assert only(2, stop=" 8") == Prediction(ASCII, " 7,", "length", 2)


def test_choices_are_ordered_by_prompt() -> None:
    choices = predict(TestCase((ASCII, OTHER), {"n": 2}), BASELINES)
    assert [expected.prompt for expected in choices] == [ASCII, ASCII, OTHER, OTHER]
    assert choices[2] == Prediction(OTHER, "ab" * 16, "length", 16)


def test_suffix_has_its_own_baseline() -> None:
    assert only(suffix="x") == Prediction(ASCII)


def test_without_tokens_only_the_whole_is_predicted() -> None:
    baseline = Baseline("abc", "length")
    assert [baseline.within(limit) for limit in (16, 5, 0)] == ["abc", None, ""]


def test_partial_character_is_left_out() -> None:
    cut = Baseline("一\ufffd", "length", ("一", "bytes:\\xe4"))
    assert cut.within(16) == "一"
    assert cut.within(2) == "一"
    parts = Baseline("一", "length", ("bytes:\\xe4\\xb8", "bytes:\\x80"))
    assert [parts.within(limit) for limit in (1, 2)] == ["", "一"]
    assert Baseline("一", "length", ("\ufffd", "\ufffd")).within(1) is None


def test_partial_character_hides_the_finish_reason() -> None:
    baselines = {(ASCII, None): Baseline("一\ufffdx", "length", None, None, 1, 16)}
    (expected,) = predict(TestCase((ASCII,), {"stop": "x"}), baselines)
    assert expected == Prediction(ASCII, "一")


def test_ascii_sequence_matches_no_partial_character() -> None:
    baselines = {(ASCII, None): Baseline("一\ufffd", "length", None, None, 1, 16)}
    by_ascii, by_wide = (
        predict(TestCase((ASCII,), {"stop": stop}), baselines) for stop in ("x", "二")
    )
    assert by_ascii == [Prediction(ASCII, "一", "length", 16)]
    assert by_wide == [Prediction(ASCII, "一")]


def test_end_of_text_token_is_no_text() -> None:
    ended = Baseline("ab", "stop", ("a", "b", "<|endoftext|>"))
    assert [ended.within(limit) for limit in (1, 2, 3)] == ["a", "ab", "ab"]


def test_missing_parts_of_a_baseline_are_none() -> None:
    choice = {"index": 0, "text": "a", "finish_reason": "length", "logprobs": None}
    completion = Completion(None, {"choices": [choice]})  # type: ignore[arg-type]  # no exchange is read
    assert baseline_of(completion) == Baseline("a", "length")
    with pytest.raises(Failure):
        baseline_of(Completion(None, {"choices": [{"index": 0}]}))  # type: ignore[arg-type]
