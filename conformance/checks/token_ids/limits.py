"""Values that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "token-ids.word-refused",
        {"return_token_ids": "all"},
        "A `return_token_ids` that is a word is rejected.",
        "`return_token_ids` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
