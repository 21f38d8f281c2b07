"""Values of ``temperature`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import (
    Above,
    Below,
    coerced_type,
    register,
    rejected,
    wrong_type,
)

LIMITS = (
    rejected(
        "temperature.above-refused",
        "temperature.out-of-range-refused",
        {"temperature": Above(0.1)},
        "A temperature just above the documented maximum is rejected.",
        "略高于文档上限的 temperature 会被拒绝。",
        tier="smoke",
    ),
    rejected(
        "temperature.below-refused",
        "temperature.out-of-range-refused",
        {"temperature": Below(0.1)},
        "A negative temperature is rejected.",
        "负的 temperature 会被拒绝。",
        tier="deep",
    ),
    wrong_type(
        "temperature.word-refused",
        {"temperature": "hot"},
        "A temperature that is a word is rejected.",
        "temperature 为单词时会被拒绝。",
        tier="smoke",
    ),
    coerced_type(
        "temperature.number-in-string-refused",
        {"temperature": "0.5"},
        '`temperature: "0.5"` is rejected, not converted, like `max_tokens: "2"`.',
        '`temperature: "0.5"` 与 `max_tokens: "2"` 一样会被拒绝，而不会被转换。',
        needs=("temperature", "max_tokens"),
        # A validator converts all numbers in strings, or none; so a strict one costs no request.
        only_after={"max_tokens": "2"},
    ),
)

register(LIMITS, __name__)
