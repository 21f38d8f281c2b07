"""Faults of ``return_token_ids`` and ``return_tokens_as_token_ids``."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import drops, each_choice
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._parts import parts

ALL = "token-ids.of-all-tokens"
SAME = "token-ids.are-the-tokens"

Ids = list[int]


def changed(name: str, change: Callable[[Ids], Ids | None]) -> Rewrite:
    """Change the ids in a field of a choice, or of a part of one."""
    return each_choice(
        lambda _, choice: {**choice, name: change(choice[name])} if choice.get(name) else choice
    )


@fault(
    "token-ids-null",
    breaks=ALL,
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def token_ids_null() -> Behaviour:
    """Only the ids of the prompt are returned.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/28246
    """
    return changed("token_ids", lambda _: None)


@fault(
    "token-ids-last-of-chunk",
    breaks=ALL,
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def token_ids_last_of_chunk() -> Behaviour:
    """In a stream, ids of tokens that have no text of their own are lost.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/27482
    and https://github.com/vllm-project/vllm/pull/29074
    """
    return parts(
        lambda part: (
            {**part, "token_ids": part["token_ids"][-1:]} if part.get("token_ids") else part
        )
    )


@fault(
    "token-ids-stream-without-prompt",
    breaks=ALL,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def token_ids_stream_without_prompt() -> Behaviour:
    """A stream has the ids of the completion alone.

    Reported for SGLang: https://github.com/sgl-project/sglang/pull/22610
    """
    return parts(lambda part: {**part, "prompt_token_ids": None})


@fault(
    "token-ids-without-first",
    breaks=ALL,
    triggers=(Trigger.STREAM, Trigger.NON_STREAMING),
    contract="vllm",
    dialect="vllm",
)
def token_ids_without_first() -> Behaviour:
    """The first id of the prompt is missing, as where a start token is left out by habit."""
    return changed("prompt_token_ids", lambda ids: ids[1:])


@fault("token-ids-shifted", breaks=SAME, triggers=(), contract="vllm", dialect="vllm")
def token_ids_shifted() -> Behaviour:
    """The ids of the prompt are those of another vocabulary."""
    return changed("prompt_token_ids", lambda ids: [one + 1 for one in ids])


@fault(
    "token-ids-of-completion-shifted",
    breaks=SAME,
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def token_ids_of_completion_shifted() -> Behaviour:
    """The ids of the completion are those of another vocabulary."""
    return changed("token_ids", lambda ids: [one + 1 for one in ids])


@fault(
    "token-names-as-text",
    breaks="token-ids.name-tokens",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def token_names_as_text() -> Behaviour:
    """``return_tokens_as_token_ids`` has no effect."""
    return drops("return_tokens_as_token_ids")


@fault(
    "token-ids-word-accepted",
    breaks="errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def token_ids_word_accepted() -> Behaviour:
    """A ``return_token_ids`` that is no boolean is dropped."""
    return drops("return_token_ids", when=lambda r: not isinstance(r.get("return_token_ids"), bool))
