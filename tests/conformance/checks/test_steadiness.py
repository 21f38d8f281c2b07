"""How sure the model was where two answers part, read from its own log probabilities."""

from __future__ import annotations

import pytest

from conformance.checks._steadiness import lead_in, parting_of
from conformance.completion import Choice


def said(index: int, *tokens: tuple[str, float]) -> Choice:
    """A choice of some tokens, each with its lead over the next best."""
    scores = {
        "tokens": [token for token, _ in tokens],
        "token_logprobs": [-0.5 for _ in tokens],
        "top_logprobs": [{token: -0.5, "§": -0.5 - lead} for token, lead in tokens],
        "text_offset": [0 for _ in tokens],
    }
    text = "".join(token for token, _ in tokens)
    return Choice({"text": text, "index": index, "logprobs": scores}, f"choices[{index}]")


def test_the_lead_is_the_smallest_up_to_the_parting_and_not_behind_it() -> None:
    choice = said(0, ("a", 3.0), ("b", 2.0), ("c", 0.1))
    assert lead_in([choice], parting_of("abX", "aX"), "") == pytest.approx(2.0)
    assert lead_in([choice], parting_of("abc", "abX"), "") == pytest.approx(0.1)


def test_of_several_choices_any_may_be_the_one_that_wavers() -> None:
    usual, odd = [" is", " not", " the"], [" is", " the", " the"]
    batch = [said(0, (" is", 1.3)), said(1, (" not", 0.2)), said(2, (" the", 4.0))]
    assert lead_in(batch, parting_of(usual, odd), "") == pytest.approx(0.2)


def test_a_choice_that_began_otherwise_says_nothing() -> None:
    assert lead_in([said(0, ("z", 0.1))], parting_of("ab", "aX"), "") is None
