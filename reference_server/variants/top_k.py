"""Servers that conform without the sampling parameters that OpenAI's API does not have."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant

SAMPLING = ("top_k", "min_p", "repetition_penalty", "ignore_eos")


@variant(
    "no-extra-sampling",
    refuses="top_k min_p repetition_penalty ignore_eos",
    contract="vllm",
    dialect="vllm",
)
def no_extra_sampling() -> Behaviour:
    """``top_k``, ``min_p``, ``repetition_penalty`` and ``ignore_eos`` are rejected with 400.

    As vLLM does with ``min_p`` where it decodes speculatively:
    https://github.com/vllm-project/vllm/issues/42744
    """
    return rejects(
        lambda request: any(request.get(name) is not None for name in SAMPLING),
        "This sampling parameter is not supported with speculative decoding.",
    )
