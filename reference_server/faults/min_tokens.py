"""Faults of ``min_tokens``."""

from __future__ import annotations

from reference_server.behaviour.builders import drops, number_of, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import Trigger

HOLDS = "min-tokens.holds-the-end"
CHARACTERS_PER_TOKEN = 4


def holds(request: Body) -> bool:
    """Whether a request holds the end back."""
    return 0 < number_of(request, "min_tokens") <= number_of(request, "max_tokens")


@fault(
    "min-tokens-ignored",
    breaks=HOLDS,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def min_tokens_ignored() -> Behaviour:
    """``min_tokens`` is accepted and has no effect.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/15967
    and for TensorRT-LLM: https://github.com/NVIDIA/TensorRT-LLM/issues/10824
    """
    return drops("min_tokens", when=holds)


@fault(
    "min-tokens-counts-prompt",
    breaks=HOLDS,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_tokens_counts_prompt() -> Behaviour:
    """Tokens of the prompt count towards ``min_tokens``.

    Reported for TensorRT-LLM: https://github.com/NVIDIA/TensorRT-LLM/pull/12358
    """

    def rewrite(request: Body) -> Body:
        if not holds(request):
            return request
        read = max(1, len(str(request.get("prompt"))) // CHARACTERS_PER_TOKEN)
        return {**request, "min_tokens": max(0, request["min_tokens"] - read)}

    return rewrites(rewrite)


@fault(
    "min-tokens-stop-token-leaks",
    breaks=HOLDS,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_tokens_stop_token_leaks() -> Behaviour:
    """Only the tokenizer's own end token is held back, not the others that end a text.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/5849
    and for SGLang: https://github.com/sgl-project/sglang/pull/31378
    """
    return drops("min_tokens", when=lambda r: holds(r) and bool(r.get("stop_token_ids")))


@fault(
    "min-tokens-one-too-many",
    breaks="min-tokens.allows-the-end",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_tokens_one_too_many() -> Behaviour:
    """The end is held back by one token too many."""
    return rewrites(lambda r: {**r, "min_tokens": r["min_tokens"] + 1} if holds(r) else r)


@fault(
    "min-tokens-out-of-range-accepted",
    breaks="min-tokens.at-most-the-limit min-tokens.out-of-range-refused errors.wrong-type-refused",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_tokens_out_of_range_accepted() -> Behaviour:
    """A ``min_tokens`` that is no number from 0 to ``max_tokens`` is dropped."""
    return drops("min_tokens", when=lambda request: not holds(request))
