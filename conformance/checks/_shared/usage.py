"""The three counts of ``usage``."""

from __future__ import annotations

from conformance.completion import Completion
from conformance.judgement import Deviation, expect


def assert_three_counts(answer: Completion) -> None:
    """Assert that all three counts are there, and whole numbers that are not negative."""
    usage = answer.usage
    if "completion_tokens" not in usage.raw:
        raise Deviation("usage.completion_tokens", "no such member")
    for count in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens):
        expect(count, "a count of usage").at_least(0)
