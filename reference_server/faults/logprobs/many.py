"""Faults of ``logprobs`` above the live API's limit."""

from __future__ import annotations

from reference_server.behaviour.builders import number_of, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite

FEW = 5


@fault(
    "logprobs-capped",
    breaks="logprobs.twenty-listed",
    evidence=Evidence.SIBLING,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def logprobs_capped() -> Behaviour:
    """More than five alternatives are cut to five without a word.

    Reported for OpenAI: https://github.com/openai/openai-python/issues/38
    """
    return sets(lambda request: number_of(request, "logprobs") > FEW, logprobs=FEW)


@fault(
    "logprobs-minus-one-empty",
    breaks="logprobs.minus-one-lists-all",
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def logprobs_minus_one_empty() -> Behaviour:
    """With ``logprobs: -1`` every alternative is computed and none is listed.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/55717
    """

    def emptied(request: Body, whole: Body) -> Body:
        if request.get("logprobs") != -1:
            return whole
        choices = [
            {**choice, "logprobs": {**choice["logprobs"], "top_logprobs": _empty(choice)}}
            for choice in whole["choices"]
        ]
        return {**whole, "choices": choices}

    return Rewrite(non_streaming=emptied)


def _empty(choice: Body) -> list[Body]:
    return [{} for _ in choice["logprobs"]["tokens"]]
