"""Values of ``prompt_logprobs`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import Below, register, rejected, wrong_type

LIMITS = (
    rejected(
        "prompt-logprobs.below-refused",
        "prompt-logprobs.out-of-range-refused",
        {"prompt_logprobs": Below(1, whole=True)},
        "A `prompt_logprobs` just below the documented minimum is rejected.",
        "略低于文档下限的 `prompt_logprobs` 会被拒绝。",
        tier="deep",
    ),
    wrong_type(
        "prompt-logprobs.word-refused",
        {"prompt_logprobs": "some"},
        "A `prompt_logprobs` that is a word is rejected.",
        "`prompt_logprobs` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
