"""Values of ``stop_token_ids`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "stop-token-ids.words-refused",
        {"stop_token_ids": ["end"]},
        "Words in `stop_token_ids` are rejected.",
        "`stop_token_ids` 中的单词会被拒绝。",
    ),
)

register(LIMITS, __name__)
