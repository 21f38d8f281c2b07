"""Faults of ``min_p``."""

from reference_server.behaviour.builders import drops, number_of, rewrites, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS
from reference_server.faults._triggers import RARE

UNLIKELY = "min-p.leaves-out-the-unlikely"
TRIGGERS = ALL_TRIGGERS - RARE


def narrows(request: Body) -> bool:
    """Whether a request leaves out improbable tokens, with a share that is valid."""
    return 0 < number_of(request, "min_p") <= 1


@fault(
    "min-p-ignored",
    breaks=UNLIKELY,
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
    contract="vllm",
    dialect="vllm",
)
def min_p_ignored() -> Behaviour:
    """``min_p`` is accepted, and not applied to the tokens that a draft model proposed.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/42744
    and https://github.com/vllm-project/vllm/pull/42802
    """
    return drops("min_p", when=narrows)


@fault("min-p-too-low", breaks=UNLIKELY, triggers=(), contract="vllm", dialect="vllm")
def min_p_too_low() -> Behaviour:
    """A tenth of ``min_p`` is applied."""
    return rewrites(lambda r: {**r, "min_p": r["min_p"] / 10} if narrows(r) else r)


@fault("min-p-one-lost", breaks=UNLIKELY, triggers=TRIGGERS, contract="vllm", dialect="vllm")
def min_p_one_lost() -> Behaviour:
    """``min_p: 1`` keeps all tokens, as ``top_p: 1`` does."""
    return drops("min_p", when=lambda request: number_of(request, "min_p") == 1)


@fault("min-p-as-top-p", breaks=UNLIKELY, triggers=(), contract="vllm", dialect="vllm")
def min_p_as_top_p() -> Behaviour:
    """``min_p`` is applied as ``top_p``."""
    return rewrites(
        lambda r: {**r, "min_p": 0, "top_p": r["min_p"]} if narrows(r) else r,
    )


@fault(
    "min-p-ignored-by-llama-cpp",
    breaks=UNLIKELY,
    triggers=TRIGGERS,
    contract="llama-cpp",
    dialect="llama-cpp",
)
def min_p_ignored_by_llama_cpp() -> Behaviour:
    """``min_p`` is replaced by the default of the server's command line."""
    return drops("min_p", when=narrows)


@fault(
    "min-p-zero-keeps-one",
    breaks="min-p.zero-keeps-all",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_p_zero_keeps_one() -> Behaviour:
    """``min_p: 0`` keeps the best token alone."""
    return sets(lambda request: "min_p" in request and request["min_p"] == 0, min_p=1)


@fault(
    "min-p-out-of-range-accepted",
    breaks="min-p.out-of-range-refused errors.wrong-type-refused",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def min_p_out_of_range_accepted() -> Behaviour:
    """A ``min_p`` that is no number from 0 to 1 is dropped."""
    return drops(
        "min_p",
        when=lambda request: (
            not isinstance(request.get("min_p"), int | float | None)
            or not 0 <= number_of(request, "min_p") <= 1
        ),
    )
