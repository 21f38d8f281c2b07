"""Values of ``n`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import (
    Above,
    Below,
    register,
    rejected,
    same_as_omitted,
    wrong_type,
)

LIMITS = (
    rejected(
        "n.zero-refused",
        "n.zero-refused",
        {"n": Below(1, whole=True)},
        "`n: 0`, or the value just below the documented minimum, is rejected.",
        "`n: 0` 或略低于文档下限的值会被拒绝。",
    ),
    rejected(
        "n.above-maximum-refused",
        "n.above-maximum-refused",
        {"n": Above(1, whole=True)},
        "One more choice than the documented maximum is rejected.",
        "choice 数比文档上限多一个时会被拒绝。",
    ),
    wrong_type(
        "n.word-refused",
        {"n": "two"},
        "An `n` that is a word is rejected.",
        "`n` 为单词时会被拒绝。",
    ),
    same_as_omitted(
        "n.null",
        "n.null-is-default",
        {"n": None},
        "`n: null` has no effect.",
        "`n: null` 不影响响应。",
        instead=1,
    ),
)

register(LIMITS, __name__)
