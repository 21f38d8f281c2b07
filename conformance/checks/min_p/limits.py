"""Values of ``min_p`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Above, Below, register, rejected, wrong_type

LIMITS = (
    rejected(
        "min-p.above-refused",
        "min-p.out-of-range-refused",
        {"min_p": Above(0.1)},
        "A `min_p` just above the documented maximum is rejected.",
        "略高于文档上限的 `min_p` 会被拒绝。",
    ),
    rejected(
        "min-p.below-refused",
        "min-p.out-of-range-refused",
        {"min_p": Below(0.1)},
        "A negative `min_p` is rejected.",
        "负的 `min_p` 会被拒绝。",
        tier="deep",
    ),
    wrong_type(
        "min-p.word-refused",
        {"min_p": "little"},
        "A `min_p` that is a word is rejected.",
        "`min_p` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
