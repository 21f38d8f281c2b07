"""When scores count as different, and when a token counts as not the best."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest

from conformance.checks._shared.token_scores import (
    Scored,
    apart,
    assert_offsets_advance,
    assert_tokens_make_text,
    expect_scored_alike,
)
from conformance.checks.echo.invariants import assert_prompt_scored
from conformance.checks.logprobs.arrays import worse_than_best
from conformance.judgement import Failure, Inconclusive, Missing, NotApplicable
from conformance.protocol.completion import Choice

RIGHT: Scored = [(" 1", -0.1), ("3", -1.2), (",", -0.4)]
SHIFTED: Scored = [(token, (score or 0) - 0.9) for token, score in RIGHT]
FLIPPED: Scored = [(" 1", -0.1), ("4", -1.3), (" x", -7.0)]
"""Another token where two were about equally probable, and what follows it."""


def compared(left: Iterable[Scored], right: Iterable[Scored]) -> None:
    """Compare two sides that give these answers, one after the other."""

    async def ask(responses: Iterator[Scored]) -> Scored:
        return next(responses)

    ours, theirs = iter([*left]), iter([*right])
    asyncio.run(expect_scored_alike(lambda _: ask(ours), lambda _: ask(theirs), "alike"))


def test_equal_scores_are_requested_once() -> None:
    compared([RIGHT], [RIGHT])


def test_scores_that_always_differ_are_a_failure() -> None:
    with pytest.raises(Failure, match="both reproduced"):
        compared([RIGHT] * 6, [SHIFTED] * 6)


def test_scores_that_differ_sometimes_are_a_failure() -> None:
    with pytest.raises(Failure, match="2 times in 12"):
        compared([RIGHT] * 6, [SHIFTED, RIGHT, RIGHT, SHIFTED, RIGHT, RIGHT])


def test_scores_that_differed_once_are_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        compared([RIGHT] * 6, [SHIFTED, *[RIGHT] * 5])


def test_near_tie_that_flips_is_no_failure() -> None:
    with pytest.raises(Inconclusive):
        compared([RIGHT, FLIPPED] * 3, [FLIPPED, RIGHT, RIGHT] * 2)


def test_scores_are_compared_while_tokens_are_equal() -> None:
    assert apart(RIGHT, FLIPPED) == 0
    assert apart(RIGHT, SHIFTED) == pytest.approx(0.9)
    assert apart(RIGHT, [(" 1", None)]) == float("inf")


def choice(*rows: tuple[str, float, dict[str, float]]) -> Choice:
    """A choice of some tokens, each with its score and its alternatives."""
    tokens, scores, tops = zip(*rows, strict=True)
    arrays = {
        "tokens": [*tokens],
        "token_logprobs": [*scores],
        "top_logprobs": [*tops],
        "text_offset": [0] * len(rows),
    }
    return Choice({"logprobs": arrays}, "choices[0]")


SURE = (" 1", -0.1, {" 1": -0.1, "3": -3.0})


def test_best_token_is_accepted() -> None:
    assert worse_than_best(choice(SURE, SURE, SURE)) is None


def test_special_token_may_be_listed_as_better() -> None:
    suppressed = ("3", -2.0, {"<|endoftext|>": -0.2, "3": -2.0})
    assert worse_than_best(choice(SURE, suppressed, SURE)) is None


def test_only_position_may_be_a_suppressed_one() -> None:
    end = ("<|endoftext|>", -1.5, {"<|fim_suffix|>": -0.3, "<|endoftext|>": -1.5})
    assert worse_than_best(choice(end)) is None


def test_better_token_chosen_elsewhere_is_not_suppressed() -> None:
    worse = ("3", -2.0, {" 1": -0.2, "3": -2.0})
    found = worse_than_best(choice(SURE, worse, SURE))
    assert found is not None
    assert found.number == 1


def test_most_positions_cannot_have_suppressed_tokens() -> None:
    others = [("3", -2.0, {f"mark {n}": -0.2, "3": -2.0}) for n in range(2)]
    assert worse_than_best(choice(SURE, *others)) is not None


def echoed(tokens: list[str]) -> Choice:
    """An echo whose tokens are listed, the first without a score."""
    scores = [None, *[-1.0] * (len(tokens) - 1)]
    arrays = {"tokens": tokens, "token_logprobs": scores, "top_logprobs": [None] * len(tokens)}
    return Choice({"text": "  caf\u00e9 !", "logprobs": arrays}, "choices[0]")


@pytest.mark.parametrize(
    "tokens",
    [
        [" ", " caf", "\u00e9", " !"],
        ["<s>", " ", " caf", "\u00e9", " !"],
        [" ", " ", " caf", "bytes:\\xc3", "bytes:\\xa9", " !"],
    ],
    ids=["as they are", "a start token", "a blank before, and bytes"],
)
def test_tokens_of_an_echo_are_its_prompt(tokens: list[str]) -> None:
    assert_prompt_scored(echoed(tokens), "  caf\u00e9")


def test_unjoinable_parts_of_characters_are_not_applicable() -> None:
    with pytest.raises(NotApplicable):
        assert_prompt_scored(echoed([" ", " caf", "\ufffd", "\ufffd", " !"]), "  caf\u00e9")


def test_tokens_of_another_text_are_a_failure() -> None:
    with pytest.raises(Missing):
        assert_prompt_scored(echoed([" tea", " time", "\ufffd", " !"]), "  caf\u00e9")


def scored(tokens: list[str], offsets: list[int], text: str) -> Choice:
    logprobs = {"tokens": tokens, "text_offset": offsets}
    return Choice({"text": text, "logprobs": logprobs, "finish_reason": "length"}, "choices[0]")


# As vLLM lists them, which documents to leave special tokens out of the text.
HIDDEN = ["y", "<|fim_suffix|>", "<|fim_middle|>", "\n", "A"]


def test_documented_hidden_tokens_need_no_text() -> None:
    for offsets in ([0, 1, 15, 29, 30], [0, 1, 1, 1, 2]):
        choice = scored(HIDDEN, offsets, "y\nA")
        assert_tokens_make_text(choice, hides_special=True)
        assert_offsets_advance(choice)
        with pytest.raises(Failure, match="join to the text"):
            assert_tokens_make_text(choice)


def test_lost_text_is_no_control_token() -> None:
    for tokens, text in ((HIDDEN, "yA"), (["y", "<b>", "A"], "yA"), (HIDDEN, "y\nAA")):
        with pytest.raises(Failure, match="join to the text"):
            assert_tokens_make_text(scored(tokens, [0] * len(tokens), text), hides_special=True)
