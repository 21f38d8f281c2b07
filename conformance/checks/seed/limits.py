"""Values of ``seed`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "seed.word-refused",
        {"seed": "lucky"},
        "A seed that is a word is rejected.",
        "seed 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
