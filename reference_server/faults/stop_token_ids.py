"""Faults of ``stop_token_ids``."""

from __future__ import annotations

from reference_server.behaviour.builders import drops, each_choice, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import Trigger

ENDS = "stop-token-ids.end-the-text"
TOO_MANY = range(1000)


def ending(request: Body) -> bool:
    """Whether a request names tokens that end the text."""
    given = request.get("stop_token_ids")
    return isinstance(given, list) and bool(given) and all(type(one) is int for one in given)


@fault(
    "stop-token-ids-ignored",
    breaks=ENDS,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING, Trigger.BATCH),
    contract="vllm",
    dialect="vllm",
)
def stop_token_ids_ignored() -> Behaviour:
    """``stop_token_ids`` is accepted and not passed on.

    Reported for TRL's server: https://github.com/huggingface/trl/issues/3425
    """
    return drops("stop_token_ids", when=ending)


@fault(
    "stop-token-ids-as-length",
    breaks=ENDS,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def stop_token_ids_as_length() -> Behaviour:
    """A choice that ended at a stop token has the finish reason ``length``."""
    return each_choice(
        lambda request, choice: (
            {**choice, "finish_reason": "length"}
            if ending(request) and choice["finish_reason"] == "stop"
            else choice
        )
    )


@fault(
    "stop-token-ids-any",
    breaks=ENDS,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def stop_token_ids_any() -> Behaviour:
    """A stop token's id is compared with a range, so that many other tokens end the text."""
    return rewrites(
        lambda r: {**r, "stop_token_ids": [*r["stop_token_ids"], *TOO_MANY]} if ending(r) else r
    )


@fault(
    "stop-token-ids-words-accepted",
    breaks="errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def stop_token_ids_words_accepted() -> Behaviour:
    """What is no array of integers is dropped."""
    return drops("stop_token_ids", when=lambda request: not ending(request))
