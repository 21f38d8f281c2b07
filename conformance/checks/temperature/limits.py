"""Values of ``temperature`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Above, Below, register, rejected, wrong_type

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
)

register(LIMITS, __name__)
