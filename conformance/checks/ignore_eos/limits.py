"""Values of ``ignore_eos`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "ignore-eos.word-refused",
        {"ignore_eos": "never"},
        "An `ignore_eos` that is a word is rejected.",
        "`ignore_eos` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
