"""How many choices a recorded response has, and how many its request asked for."""

from __future__ import annotations

from conformance.answered import Answered
from conformance.checks._shared.requests import choices_in_chunk
from conformance.judgement import Absence, Thing, shown
from conformance.model import Effect


def assert_choice_count(answer: Answered, thing: Thing) -> None:
    """Assert that an answer has as many choices as were asked for."""
    seen, wanted = choice_count(answer), answer.asked.choices
    if seen != wanted:
        effect = Effect.IGNORED if seen == 1 else Effect.ALTERED
        raise Absence(thing, f"{wanted} choices", f"{seen}", effect=effect)


def choice_count(answer: Answered) -> int:
    """Count the choices of an answer.

    Choices of a stream that share a number are told apart by their ends.
    """
    completion, wanted = answer.completion, answer.asked.choices
    if not completion.chunks:
        return len(completion.choices)
    parts = [part for chunk in completion.chunks for part in choices_in_chunk(chunk)]
    ends = sum(part.get("finish_reason") is not None for part in parts)
    numbers = len({shown(part.get("index")) for part in parts})
    return wanted if numbers < wanted == ends else numbers
