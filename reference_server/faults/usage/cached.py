"""Faults of ``usage``: a wrong number of cached tokens, or one that changes the other counts."""

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.prefix_cache import details, with_cache
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.faults._usage import added_up
from reference_server.faults.usage.prompt import COUNTED

WITHIN = "usage.cached-within-prompt"
IN_PROMPT = f"usage.cached-in-prompt {COUNTED}"


@fault("cached-over-prompt", breaks=WITHIN, evidence=Evidence.SIBLING, triggers=())
def cached_over_prompt() -> Behaviour:
    """More tokens are cached than the prompt has, as where a relay adds those of another format.

    Reported for DashScope's other endpoint, with 3,604 cached tokens of 3,602:
    https://github.com/jeremychone/rust-genai/pull/258
    """
    return with_cache(
        lambda _, counted, cached: details(any(cached) and counted["prompt_tokens"] + 2)
    )


@fault("cached-negative", breaks=WITHIN, triggers=())
def cached_negative() -> Behaviour:
    """The number of cached tokens is negative, as a difference of two counts can be."""
    return with_cache(lambda _, __, cached: details(-sum(cached)))


@fault("cached-as-share", breaks=WITHIN, triggers=())
def cached_as_share() -> Behaviour:
    """The number of cached tokens is the share of the prompt that was cached."""
    return with_cache(
        lambda _, counted, cached: details(sum(cached) / max(1, counted["prompt_tokens"]))
    )


@fault(
    "cached-left-out",
    breaks=IN_PROMPT,
    also_breaks=WITHIN,
    evidence=Evidence.SIBLING,
    triggers=(),
)
def cached_left_out() -> Behaviour:
    """``prompt_tokens`` leaves the cached tokens out, as in the usage of Anthropic's API.

    Reported for a relay that mixes both ways to count:
    https://github.com/QuantumNous/new-api/pull/3258
    """
    return with_cache(lambda _, counted, cached: _counted_beside(counted, sum(cached), -1))


@fault("cached-counted-twice", breaks=IN_PROMPT, evidence=Evidence.SIBLING, triggers=())
def cached_counted_twice() -> Behaviour:
    """``prompt_tokens`` has the cached tokens twice, once as a part and once added to it.

    Reported for clients that account for Gemini and Anthropic:
    https://github.com/Arize-ai/openinference/pull/3016
    """
    return with_cache(lambda _, counted, cached: _counted_beside(counted, sum(cached), 1))


@fault("cached-left-out-of-total", breaks="usage.total-is-sum", triggers=())
def cached_left_out_of_total() -> Behaviour:
    """``total_tokens`` leaves the cached tokens out."""
    return with_cache(
        lambda _, counted, cached: {
            **details(sum(cached)),
            "total_tokens": counted["total_tokens"] - sum(cached),
        }
    )


@fault(
    "cached-of-last-prompt",
    breaks="usage.cached-sums-batch",
    evidence=Evidence.REPORTED,
    triggers=(),
    tier=Tier.DEEP,
)
def cached_of_last_prompt() -> Behaviour:
    """A batch reports the cached tokens of its last prompt alone.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/55120
    """
    return with_cache(lambda _, __, cached: details(cached[-1]))


@fault(
    "cached-missing-in-streams",
    breaks="usage.cached-streamed",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def cached_missing_in_streams() -> Behaviour:
    """Streams report no cached tokens; non-streaming responses do.

    Reported for SGLang's chat endpoint: https://github.com/sgl-project/sglang/issues/4707
    """
    return with_cache(
        lambda request, _, cached: details(0 if request.get("stream") else sum(cached))
    )


@fault(
    "cached-only-in-streams",
    breaks="usage.cached-streamed",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def cached_only_in_streams() -> Behaviour:
    """Non-streaming responses report no cached tokens; streams do.

    Reported for omlx: https://github.com/jundot/omlx/issues/919
    """
    return with_cache(
        lambda request, _, cached: details(sum(cached) if request.get("stream") else 0)
    )


def _counted_beside(counted: Body, cached: int, sign: int) -> Body:
    changed = added_up(counted, prompt_tokens=counted["prompt_tokens"] + sign * cached)
    return {**details(cached), **changed}
