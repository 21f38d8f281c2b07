"""Values of ``top_k`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Below, register, rejected, wrong_type

LIMITS = (
    rejected(
        "top-k.below-refused",
        "top-k.out-of-range-refused",
        {"top_k": Below(1, whole=True)},
        "A `top_k` just below the documented minimum is rejected.",
        "略低于文档下限的 `top_k` 会被拒绝。",
    ),
    wrong_type(
        "top-k.word-refused",
        {"top_k": "few"},
        "A `top_k` that is a word is rejected.",
        "`top_k` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
