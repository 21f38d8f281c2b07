"""Faults of ``prompt_logprobs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import drops, each_choice, number_of, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite

EACH = "prompt-logprobs.one-for-each-token"
NAME = "prompt_logprobs"

Entries = list[Any]


def entries(change: Callable[[Entries], Entries | None]) -> Rewrite:
    """Change the list of a choice."""
    return each_choice(
        lambda _, choice: {**choice, NAME: change(choice[NAME])} if choice.get(NAME) else choice
    )


@fault(
    "prompt-logprobs-empty",
    breaks=EACH,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_empty() -> Behaviour:
    """The list has its first entry alone, which is null.

    Reported for vLLM on Apple's GPUs: https://github.com/vllm-project/vllm-metal/issues/680
    """
    return entries(lambda known: known[:1])


@fault(
    "prompt-logprobs-dropped",
    breaks=EACH,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_dropped() -> Behaviour:
    """The list is computed and not returned.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/57929
    """
    return entries(lambda _: None)


@fault("prompt-logprobs-without-first", breaks=EACH, triggers=(), contract="vllm", dialect="vllm")
def prompt_logprobs_without_first() -> Behaviour:
    """The list begins with the second token."""
    return entries(lambda known: known[1:])


@fault(
    "prompt-logprobs-stale",
    breaks="prompt-logprobs.same-as-echoed",
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_stale() -> Behaviour:
    """Tokens that the prefix cache has get what another request left in memory.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/42245
    and https://github.com/vllm-project/vllm/issues/3251
    """

    def stale(known: Entries) -> Entries:
        first, *rest = known
        wrong = [
            {token: {**one, "logprob": one["logprob"] - 5} for token, one in entry.items()}
            for entry in rest
        ]
        return [first, *wrong]

    return entries(stale)


@fault(
    "prompt-logprobs-one-listed",
    breaks="prompt-logprobs.lists-alternatives",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_one_listed() -> Behaviour:
    """No more than one alternative is listed."""
    return sets(lambda request: number_of(request, NAME) > 1, **{NAME: 1})


@fault(
    "prompt-logprobs-streamed",
    breaks="prompt-logprobs.not-in-streams",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_streamed() -> Behaviour:
    """In a stream, ``prompt_logprobs`` is dropped without a word."""
    return drops(NAME, when=lambda request: request.get("stream") is True)


@fault(
    "prompt-logprobs-out-of-range-accepted",
    breaks="prompt-logprobs.out-of-range-refused errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def prompt_logprobs_out_of_range_accepted() -> Behaviour:
    """A value that is no number from -1 on is dropped."""

    def is_wrong(request: Body) -> bool:
        return not isinstance(request.get(NAME), int) or number_of(request, NAME) < -1

    return drops(NAME, when=is_wrong)
