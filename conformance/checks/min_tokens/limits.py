"""Values of ``min_tokens`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Below, register, rejected, wrong_type

LIMITS = (
    rejected(
        "min-tokens.above-limit-refused",
        "min-tokens.at-most-the-limit",
        {"max_tokens": 1, "min_tokens": 2},
        "A `min_tokens` above `max_tokens` is rejected.",
        "大于 `max_tokens` 的 `min_tokens` 会被拒绝。",
    ),
    rejected(
        "min-tokens.below-refused",
        "min-tokens.out-of-range-refused",
        {"min_tokens": Below(1, whole=True)},
        "A negative `min_tokens` is rejected.",
        "负的 `min_tokens` 会被拒绝。",
        tier="deep",
    ),
    wrong_type(
        "min-tokens.word-refused",
        {"min_tokens": "few"},
        "A `min_tokens` that is a word is rejected.",
        "`min_tokens` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
