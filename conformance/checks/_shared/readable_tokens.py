"""Tokens and scores of recorded responses, for checks that need them to judge something else.

If they cannot be read, there is nothing to judge: other checks report that.
"""

from __future__ import annotations

from conformance.checks._shared.token_scores import Position, positions_of, tokens_of
from conformance.judgement import Judgement, NotApplicable
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange


def readable_tokens(choice: Choice) -> list[str]:
    """Return a choice's tokens.

    Raises:
        NotApplicable: it has none, or some that are not strings.
    """
    try:
        return tokens_of(choice)
    except Judgement as judgement:
        raise NotApplicable(
            say("the tokens cannot be read: {judgement}", judgement=judgement.said)
        ) from None


def readable_positions(choice: Choice) -> list[Position]:
    """Return a choice's tokens with their scores and alternatives.

    Raises:
        NotApplicable: there are none, or some that are not strings and numbers.
    """
    try:
        positions = positions_of(choice)
    except Judgement as judgement:
        raise NotApplicable(
            say("the scores cannot be read: {judgement}", judgement=judgement.said)
        ) from None
    if not positions:
        raise NotApplicable(say("the choice has no tokens"))
    return positions


def generated_positions(exchange: RecordedExchange, choice: Choice) -> list[Position]:
    """Return the positions after an echoed prompt: the last ones, as many as were requested.

    Raises:
        NotApplicable: they cannot be read, or the response ended before its limit, so the end of
            its echoed prompt is unknown.
    """
    positions = readable_positions(choice)
    if not exchange.request.echo:
        return positions
    if choice.finish_reason != "length" or not exchange.request.limit:
        raise NotApplicable(say("the prompt's tokens cannot be identified"))
    return positions[-exchange.request.limit :]


def scored_choices(exchange: RecordedExchange) -> tuple[Choice, ...]:
    """Return the choices of a response that have log probabilities.

    Raises:
        NotApplicable: log probabilities were not requested.
    """
    if exchange.request.logprobs is None:
        raise NotApplicable(say("no log probabilities were requested"))
    return tuple(choice for _, choice in exchange.numbered if choice.has_logprobs)
