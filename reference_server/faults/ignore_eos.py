"""Faults of ``ignore_eos``, which benchmarks rely on for completions of equal length."""

from __future__ import annotations

from reference_server.behaviour.builders import drops, number_of, rewrites, sets
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import Trigger

CONTINUES = "ignore-eos.continues"
MAY_END = "ignore-eos.false-may-end"
TRIGGERS = frozenset({Trigger.STREAM, Trigger.NON_STREAMING, Trigger.BATCH, Trigger.SECOND_CHOICE})


def endless(request: Body) -> bool:
    """Whether a request wants no end."""
    return request.get("ignore_eos") is True


@fault(
    "ignore-eos-ignored",
    breaks=CONTINUES,
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
    contract="vllm",
    dialect="vllm",
)
def ignore_eos_ignored() -> Behaviour:
    """``ignore_eos`` is accepted, and the text ends by itself.

    Reported for TGI: https://github.com/huggingface/text-generation-inference/issues/1544
    and for DeepSpeed-MII: https://github.com/deepspeedai/DeepSpeed-MII/issues/363
    """
    return drops("ignore_eos", when=endless)


@fault(
    "ignore-eos-lost-while-loading",
    breaks=CONTINUES,
    evidence=Evidence.REPORTED,
    contract="llama-cpp",
    dialect="llama-cpp",
    triggers=TRIGGERS,
)
def ignore_eos_lost_while_loading() -> Behaviour:
    """The end tokens are read before the model is loaded, so that none is ignored.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/pull/21203
    and https://github.com/ggml-org/llama.cpp/pull/14710
    """
    return drops("ignore_eos", when=endless)


@fault("ignore-eos-one-short", breaks=CONTINUES, triggers=(), contract="vllm", dialect="vllm")
def ignore_eos_one_short() -> Behaviour:
    """The last token of the limit is not generated."""
    return rewrites(
        lambda r: (
            {**r, "max_tokens": r["max_tokens"] - 1}
            if endless(r) and number_of(r, "max_tokens") > 1
            else r
        )
    )


@fault(
    "ignore-eos-false-as-true",
    breaks=MAY_END,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def ignore_eos_false_as_true() -> Behaviour:
    """The presence of ``ignore_eos`` counts, not its value."""
    return sets(lambda request: request.get("ignore_eos") is False, ignore_eos=True)


@fault(
    "ignore-eos-remembered",
    breaks=MAY_END,
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def ignore_eos_remembered() -> Behaviour:
    """After a request with ``ignore_eos``, later requests without it cannot end by themselves.

    Reported for ik_llama.cpp: https://github.com/ikawrakow/ik_llama.cpp/issues/2451
    """
    return _Remembering()


class _Remembering:
    """Keeps the setting of a request for those that leave it out."""

    def __init__(self) -> None:
        self._endless = False

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        given = request.body.get("ignore_eos")
        if isinstance(given, bool):
            self._endless = given
        elif self._endless and request.body:
            request = request.with_body({**request.body, "ignore_eos": True})
        return await upstream(request)


@fault(
    "ignore-eos-word-accepted",
    breaks="errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def ignore_eos_word_accepted() -> Behaviour:
    """An ``ignore_eos`` that is no boolean is dropped."""
    return drops("ignore_eos", when=lambda r: not isinstance(r.get("ignore_eos"), bool))
