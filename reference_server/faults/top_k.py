"""Faults of ``top_k``, which is no parameter of OpenAI's and is easily lost on the way."""

from reference_server.behaviour.builders import drops, number_of, rewrites, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._triggers import RARE

LIKELIEST = "top-k.keeps-the-likeliest"
TRIGGERS = ALL_TRIGGERS - RARE


def narrows(request: Body) -> bool:
    """Whether a request keeps sampling to some tokens."""
    return number_of(request, "top_k") > 0


@fault(
    "top-k-ignored",
    breaks=LIKELIEST,
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
    contract="vllm",
    dialect="vllm",
)
def top_k_ignored() -> Behaviour:
    """``top_k`` is accepted, and does not reach the sampler.

    Reported for oMLX: https://github.com/jundot/omlx/pull/20
    and for aprender: https://github.com/paiml/aprender/pull/2021
    """
    return drops("top_k", when=narrows)


@fault(
    "top-k-off-by-one",
    breaks=LIKELIEST,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.NON_STREAMING,),
    contract="vllm",
    dialect="vllm",
)
def top_k_off_by_one() -> Behaviour:
    """One token more than ``top_k`` is kept.

    Reported for mesh-transformer-jax:
    https://github.com/kingoflolz/mesh-transformer-jax/issues/164
    """
    return rewrites(lambda r: {**r, "top_k": r["top_k"] + 1} if narrows(r) else r)


@fault("top-k-one-lost", breaks=LIKELIEST, triggers=TRIGGERS, contract="vllm", dialect="vllm")
def top_k_one_lost() -> Behaviour:
    """``top_k: 1`` keeps all tokens, as if 1 were off."""
    return drops("top_k", when=lambda request: number_of(request, "top_k") == 1)


@fault(
    "top-k-ignored-by-llama-cpp",
    breaks=LIKELIEST,
    triggers=TRIGGERS,
    contract="llama-cpp",
    dialect="llama-cpp",
)
def top_k_ignored_by_llama_cpp() -> Behaviour:
    """``top_k`` is replaced by the default of the server's command line."""
    return drops("top_k", when=narrows)


@fault(
    "top-k-zero-keeps-one",
    breaks="top-k.zero-keeps-all",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def top_k_zero_keeps_one() -> Behaviour:
    """``top_k: 0`` keeps one token, as the least that a sampler can keep."""
    return sets(lambda request: request.get("top_k") == 0, top_k=1)


@fault(
    "top-k-out-of-range-accepted",
    breaks="top-k.out-of-range-refused errors.wrong-type-refused",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def top_k_out_of_range_accepted() -> Behaviour:
    """A ``top_k`` that is no number from -1 on is dropped."""
    return drops(
        "top_k",
        when=lambda request: (
            not isinstance(request.get("top_k"), int | None) or number_of(request, "top_k") < -1
        ),
    )
