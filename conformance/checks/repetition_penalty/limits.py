"""Values of the penalty that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, rejected, wrong_type

LIMITS = (
    rejected(
        "repetition-penalty.zero-refused",
        "repetition-penalty.zero-is-refused",
        {"repetition_penalty": 0},
        "A `repetition_penalty` of 0 is rejected.",
        "`repetition_penalty` 为 0 时会被拒绝。",
    ),
    wrong_type(
        "repetition-penalty.word-refused",
        {"repetition_penalty": "strong"},
        "A `repetition_penalty` that is a word is rejected.",
        "`repetition_penalty` 为单词时会被拒绝。",
    ),
    wrong_type(
        "repeat-penalty.word-refused",
        {"repeat_penalty": "strong"},
        "A `repeat_penalty` that is a word is rejected.",
        "`repeat_penalty` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
