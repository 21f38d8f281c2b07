"""Values of ``logprobs`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "logprobs.word-refused",
        {"logprobs": "many"},
        "A `logprobs` that is a word is rejected.",
        "`logprobs` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
