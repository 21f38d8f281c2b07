"""Values of ``logit_bias`` that have to be rejected, and values that change nothing."""

from __future__ import annotations

from conformance.checks._shared.limits import (
    Above,
    Below,
    register,
    rejected,
    same_as_omitted,
    wrong_type,
)
from conformance.checks._shared.token_ids import FORCING_BIAS, ONE_ID

BEYOND_ANY_VOCABULARY = 99_999_999

LIMITS = (
    same_as_omitted(
        "logit-bias.none",
        "logit-bias.forces",
        {"logit_bias": {}},
        "An empty `logit_bias` has no effect.",
        "空的 `logit_bias` 不影响响应。",
    ),
    same_as_omitted(
        "logit-bias.null",
        "logit-bias.null-is-none",
        {"logit_bias": None},
        "`logit_bias: null` has no effect.",
        "`logit_bias: null` 不影响响应。",
        instead={str(ONE_ID): 0},
    ),
    rejected(
        "logit-bias.above-refused",
        "logit-bias.out-of-range-refused",
        {"logit_bias": {str(ONE_ID): Above(1)}},
        "A bias just above the documented maximum is rejected.",
        "略高于文档上限的偏置会被拒绝。",
    ),
    rejected(
        "logit-bias.below-refused",
        "logit-bias.out-of-range-refused",
        {"logit_bias": {str(ONE_ID): Below(1)}},
        "A bias just below the documented minimum is rejected.",
        "略低于文档下限的偏置会被拒绝。",
        tier="deep",
    ),
    rejected(
        "logit-bias.word-key-refused",
        "logit-bias.unknown-token-refused",
        {"logit_bias": {"hello": 1}},
        "A bias for a word instead of a token id is rejected.",
        "以单词代替 token id 设置偏置会被拒绝。",
        tier="deep",
    ),
    rejected(
        "logit-bias.unknown-id-refused",
        "logit-bias.unknown-token-refused",
        {"logit_bias": {str(BEYOND_ANY_VOCABULARY): 1}},
        "A bias for an id beyond any vocabulary is rejected.",
        "对任何词表都没有的 id 设置偏置会被拒绝。",
    ),
    wrong_type(
        "logit-bias.array-refused",
        {"logit_bias": [ONE_ID, FORCING_BIAS]},
        "A `logit_bias` that is an array is rejected.",
        "`logit_bias` 为数组时会被拒绝。",
    ),
)

register(LIMITS, __name__)
