"""Tokens and scores of an answer that somebody else asked for, where they can be read at all.

That they can is a judgement of its own, and not that of whoever needs them to judge a text.
"""

from __future__ import annotations

from conformance.answered import Answered
from conformance.checks._scores import Position, positions_of, tokens_of
from conformance.completion import Choice
from conformance.judgement import Judgement, NotApplicable


def readable_tokens(choice: Choice) -> list[str]:
    """Return a choice's tokens, as far as it has any.

    Raises:
        NotApplicable: it has none, or some that are no strings.
    """
    try:
        return tokens_of(choice)
    except Judgement as judgement:
        raise NotApplicable(f"the tokens cannot be read: {judgement}") from None


def readable_positions(choice: Choice) -> list[Position]:
    """Return a choice's tokens with their scores and alternatives.

    Raises:
        NotApplicable: there are none, or some that are no strings and numbers.
    """
    try:
        positions = positions_of(choice)
    except Judgement as judgement:
        raise NotApplicable(f"the scores cannot be read: {judgement}") from None
    if not positions:
        raise NotApplicable("the choice has no tokens")
    return positions


def scored_choices(answer: Answered) -> tuple[Choice, ...]:
    """Return the choices of an answer for which log probabilities were asked and came.

    Raises:
        NotApplicable: none were asked for.
    """
    if answer.asked.logprobs is None:
        raise NotApplicable("no log probabilities were asked for")
    return tuple(choice for _, choice in answer.numbered if choice.has_logprobs)
