"""How many choices a response has and should have, and the three counts of its ``usage``."""

from __future__ import annotations

from conformance.checks._shared.requests import choices_in_chunk
from conformance.judgement import Failure, Feature, Missing, expect, shown
from conformance.message import say, verbatim
from conformance.model import Effect, Place
from conformance.protocol.completion import Completion
from conformance.protocol.trace import RecordedExchange


def assert_choice_count(exchange: RecordedExchange, feature: Feature) -> None:
    """Assert that a response has as many choices as were requested."""
    seen, wanted = choice_count(exchange), exchange.request.choices
    if seen != wanted:
        effect = Effect.IGNORED if seen == 1 else Effect.ALTERED
        raise Missing(feature, say("{count} choices", count=wanted), verbatim(seen), effect=effect)


def choice_count(exchange: RecordedExchange) -> int:
    """Count the choices of a response.

    Choices of a stream that share an index are distinguished by their finish reasons.
    """
    completion, wanted = exchange.completion, exchange.request.choices
    if not completion.chunks:
        return len(completion.choices)
    parts = [part for chunk in completion.chunks for part in choices_in_chunk(chunk)]
    ends = sum(part.get("finish_reason") is not None for part in parts)
    numbers = len({shown(part.get("index")) for part in parts})
    return wanted if numbers < wanted == ends else numbers


def assert_three_counts(completion: Completion) -> None:
    """Assert that all three counts are present, and are non-negative integers."""
    usage = completion.usage
    if "completion_tokens" not in usage.raw:
        raise Failure(say("usage.completion_tokens"), say("no such member"), place=Place.USAGE)
    for count in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens):
        expect(count, say("a count of usage")).at_least(0)
