"""Faults of ``choices[].stop_reason``."""

from __future__ import annotations

from reference_server.behaviour.builders import each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger

NAMES = "stop-reason.names-the-stop"
NULL = "stop-reason.null-otherwise"
END_ID = 151643


@fault(
    "stop-reason-null",
    breaks=NAMES,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def stop_reason_null() -> Behaviour:
    """``stop_reason`` is always null, so that the end of text and a stop look alike.

    Reported for SGLang: https://github.com/sgl-project/sglang/pull/1407
    and for a gateway: https://github.com/smg-project/smg/pull/1524
    """
    return each_choice(lambda _, choice: {**choice, "stop_reason": None})


@fault(
    "stop-reason-first-requested",
    breaks=NAMES,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def stop_reason_first_requested() -> Behaviour:
    """``stop_reason`` is the first of the requested sequences, whichever matched."""

    def change(request: Body, choice: Body) -> Body:
        stop = request.get("stop")
        if isinstance(stop, list) and stop and choice.get("stop_reason") is not None:
            return {**choice, "stop_reason": stop[0]}
        return choice

    return each_choice(change)


@fault(
    "stop-reason-of-the-end",
    breaks="stop-reason.null-at-the-end",
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def stop_reason_of_the_end() -> Behaviour:
    """At the end of text, ``stop_reason`` is the id of the end token.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/17516
    """
    return each_choice(
        lambda _, choice: (
            {**choice, "stop_reason": END_ID}
            if choice["finish_reason"] == "stop" and choice.get("stop_reason") is None
            else choice
        )
    )


@fault("stop-reason-of-the-limit", breaks=NULL, triggers=(), contract="vllm", dialect="vllm")
def stop_reason_of_the_limit() -> Behaviour:
    """At the limit, ``stop_reason`` is the finish reason."""
    return each_choice(
        lambda _, choice: (
            {**choice, "stop_reason": "length"} if choice["finish_reason"] == "length" else choice
        )
    )


@fault(
    "matched-stop-null",
    breaks="matched-stop.names-the-stop",
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="sglang",
    dialect="sglang",
)
def matched_stop_null() -> Behaviour:
    """``matched_stop`` is always null.

    Reported for SGLang: https://github.com/sgl-project/sglang/pull/1407
    and for a gateway: https://github.com/smg-project/smg/pull/1524
    """
    return each_choice(lambda _, choice: {**choice, "matched_stop": None})


@fault(
    "matched-stop-of-the-limit",
    breaks="matched-stop.null-otherwise",
    triggers=(),
    contract="sglang",
    dialect="sglang",
)
def matched_stop_of_the_limit() -> Behaviour:
    """At the limit, ``matched_stop`` is the finish reason."""
    return each_choice(
        lambda _, choice: (
            {**choice, "matched_stop": "length"} if choice["finish_reason"] == "length" else choice
        )
    )
