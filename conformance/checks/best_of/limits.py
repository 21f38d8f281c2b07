"""Values of ``best_of`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Above, register, rejected, same_as_omitted, wrong_type

LIMITS = (
    rejected(
        "best-of.below-n-refused",
        "best-of.below-n-refused",
        {"n": 2, "best_of": 1},
        "`best_of: 1` with `n: 2` is rejected, since there are fewer candidates than choices.",
        "`best_of: 1` 与 `n: 2` 同时使用会被拒绝，因为候选数少于 choice 数。",
        tier="smoke",
    ),
    rejected(
        "best-of.equal-refused",
        "best-of.equal-to-n-refused",
        {"n": 2, "best_of": 2},
        "`best_of: 2` with `n: 2` is rejected if the document requires more candidates than `n`.",
        "若文档要求候选数大于 `n`，则 `best_of: 2` 与 `n: 2` 同时使用会被拒绝。",
    ),
    rejected(
        "best-of.stream-refused",
        "best-of.stream-refused",
        {"best_of": 2},
        "`best_of: 2` together with `stream` is rejected.",
        "`best_of: 2` 与 `stream` 同时使用会被拒绝。",
        stream=True,
    ),
    rejected(
        "best-of.above-maximum-refused",
        "best-of.above-maximum-refused",
        {"best_of": Above(1, whole=True)},
        "One candidate more than the documented maximum is rejected.",
        "候选数比文档上限多一个时会被拒绝。",
    ),
    wrong_type(
        "best-of.word-refused",
        {"best_of": "many"},
        "A `best_of` that is a word is rejected.",
        "`best_of` 为单词时会被拒绝。",
    ),
    same_as_omitted(
        "best-of.null",
        "best-of.null-is-default",
        {"best_of": None},
        "`best_of: null` has no effect.",
        "`best_of: null` 不影响响应。",
        instead=1,
    ),
)

register(LIMITS, __name__)
