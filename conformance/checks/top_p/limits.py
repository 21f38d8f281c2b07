"""Values of ``top_p`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Above, Below, register, rejected, wrong_type

LIMITS = (
    rejected(
        "top-p.above-refused",
        "top-p.out-of-range-refused",
        {"top_p": Above(0.1)},
        "A `top_p` just above the documented maximum is rejected.",
        "略高于文档上限的 `top_p` 会被拒绝。",
    ),
    rejected(
        "top-p.below-refused",
        "top-p.out-of-range-refused",
        {"top_p": Below(0.1)},
        "A negative `top_p` is rejected.",
        "负的 `top_p` 会被拒绝。",
        tier="deep",
    ),
    wrong_type(
        "top-p.word-refused",
        {"top_p": "most"},
        "A `top_p` that is a word is rejected.",
        "`top_p` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
