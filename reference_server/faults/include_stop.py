"""Faults of ``include_stop_str_in_output``."""

from __future__ import annotations

from reference_server.behaviour.builders import drops, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import Trigger

KEEPS = "include-stop.keeps-the-sequence"
NAME = "include_stop_str_in_output"


@fault(
    "include-stop-ignored",
    breaks=KEEPS,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def include_stop_ignored() -> Behaviour:
    """The stop sequence is cut off although it was to be kept.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/57052
    and for a program in front of it: https://github.com/vllm-project/vime/pull/71
    """
    return drops(NAME, when=lambda request: request.get(NAME) is True)


@fault("include-stop-in-part", breaks=KEEPS, triggers=(), contract="vllm", dialect="vllm")
def include_stop_in_part() -> Behaviour:
    """Only the first character of the stop sequence is kept."""

    def change(request: Body, _: int, text: str) -> str:
        stop = request.get("stop")
        if request.get(NAME) is True and isinstance(stop, str) and text.endswith(stop):
            return text[: 1 - len(stop)] if len(stop) > 1 else text
        return text

    return texts(change)


@fault(
    "include-stop-false-as-true",
    breaks="include-stop.false-leaves-it-out",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def include_stop_false_as_true() -> Behaviour:
    """The presence of the parameter counts, not its value."""
    return sets(lambda request: request.get(NAME) is False, **{NAME: True})


@fault(
    "include-stop-word-accepted",
    breaks="errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def include_stop_word_accepted() -> Behaviour:
    """A value that is no boolean is dropped."""
    return drops(NAME, when=lambda request: not isinstance(request.get(NAME), bool))
