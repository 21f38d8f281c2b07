"""Values of ``max_tokens`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import coerced_type, register, rejected, wrong_type
from conformance.checks._shared.stated_context import BEYOND_ANY_CONTEXT

LIMITS = (
    rejected(
        "max-tokens.negative-refused",
        "max-tokens.negative-refused",
        {"max_tokens": -1},
        "A negative `max_tokens` is rejected, not treated as unlimited.",
        "负的 `max_tokens` 会被拒绝，而不是当作没有上限。",
        stream=True,
        read_events=3,
    ),
    rejected(
        "max-tokens.over-context-refused",
        "max-tokens.context-overflow-refused",
        {"max_tokens": BEYOND_ANY_CONTEXT},
        "Ten million tokens exceed any context: the request is rejected, not silently reduced.",
        "一千万个 token 超出任何上下文：请求会被拒绝，而不是悄悄缩减。",
        stream=True,
        read_events=3,
    ),
    wrong_type(
        "max-tokens.word-refused",
        {"max_tokens": "one"},
        "A `max_tokens` that is a word is rejected.",
        "`max_tokens` 为单词时会被拒绝。",
    ),
    coerced_type(
        "max-tokens.number-in-string-refused",
        {"max_tokens": "2"},
        '`max_tokens: "2"` is rejected, not converted to a number.',
        '`max_tokens: "2"` 会被拒绝，而不会被转换为数值。',
    ),
    coerced_type(
        "max-tokens.true-refused",
        {"max_tokens": True},
        "`max_tokens: true` is rejected, not converted to 1.",
        "`max_tokens: true` 会被拒绝，而不会被转换为 1。",
        tier="deep",
    ),
    wrong_type(
        "max-tokens.fraction-refused",
        {"max_tokens": 1.5},
        "`max_tokens: 1.5` is rejected.",
        "`max_tokens: 1.5` 会被拒绝。",
    ),
)

register(LIMITS, __name__)
