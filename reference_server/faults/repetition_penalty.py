"""Faults of ``repetition_penalty``, and of ``repeat_penalty``, as llama.cpp calls it."""

from __future__ import annotations

from http import HTTPStatus

from reference_server.behaviour.builders import drops, number_of, rewrites
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import Trigger

SCALES = "repetition-penalty.scales-scores"
COUNTS = "repetition-penalty.counts-the-prompt"
NAME = "repetition_penalty"
TRIGGERS = frozenset({Trigger.STREAM, Trigger.NON_STREAMING, Trigger.BATCH})
MAX_PENALTY = 2.0
"""The largest frequency penalty that the server accepts."""


def applies(request: Body) -> bool:
    """Whether a request sets a valid penalty other than none."""
    return number_of(request, NAME) > 0 and number_of(request, NAME) != 1


@fault(
    "repetition-penalty-ignored",
    breaks=f"{SCALES} {COUNTS}",
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
    contract="vllm",
    dialect="vllm",
)
def repetition_penalty_ignored() -> Behaviour:
    """``repetition_penalty`` is accepted and has no effect.

    Reported for SGLang: https://github.com/sgl-project/sglang/issues/28179
    and for vLLM on Ascend: https://github.com/vllm-project/vllm-ascend/pull/7785
    """
    return drops(NAME, when=applies)


@fault(
    "repetition-penalty-inverted",
    breaks=SCALES,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def repetition_penalty_inverted() -> Behaviour:
    """A penalty above 1 favours tokens that occurred, as if negative scores were divided."""
    return rewrites(lambda r: {**r, NAME: 1 / r[NAME]} if applies(r) else r)


@fault(
    "repetition-penalty-as-frequency",
    breaks=COUNTS,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def repetition_penalty_as_frequency() -> Behaviour:
    """The penalty is converted into a ``frequency_penalty``, which does not count the prompt."""

    def rewrite(request: Body) -> Body:
        if not applies(request):
            return request
        shift = max(-MAX_PENALTY, min(MAX_PENALTY, request[NAME] - 1))
        return {**request, NAME: 1, "frequency_penalty": shift}

    return rewrites(rewrite)


@fault(
    "repetition-penalty-prompt-unseen",
    breaks=COUNTS,
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def repetition_penalty_prompt_unseen() -> Behaviour:
    """For the first token, the tokens of the prompt do not count.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/1424
    and for vLLM on Apple's GPUs: https://github.com/vllm-project/vllm-metal/pull/69
    """
    return _first_token_free


async def _first_token_free(request: ClientRequest, upstream: Upstream) -> ServerResponse:
    """Replace the first token of a completion by the one without a penalty."""
    body = request.body
    whole = await upstream(request)
    if not applies(body) or whole.status != HTTPStatus.OK or whole.is_stream or body.get("echo"):
        return whole
    free = {name: value for name, value in body.items() if name != NAME}
    first = await upstream(request.with_body({**free, "max_tokens": 1}))
    listed = await upstream(request.with_body({**body, "max_tokens": 1, "logprobs": 0}))
    if first.status != HTTPStatus.OK or listed.status != HTTPStatus.OK:
        return whole
    rows = zip(whole.body["choices"], first.body["choices"], listed.body["choices"], strict=True)
    choices = [_begun_by(*row) for row in rows]
    return whole.with_body({**whole.body, "choices": choices})


def _begun_by(choice: Body, first: Body, listed: Body) -> Body:
    """Let a choice begin with the token of another response instead of its own."""
    rest = choice["text"][len(listed["text"]) :]
    scores = choice["logprobs"]
    if scores is not None:
        scores = {
            name: [*first["logprobs"][name][:1], *values[1:]] for name, values in scores.items()
        }
    return {**choice, "text": first["text"] + rest, "logprobs": scores}


@fault(
    "repetition-penalty-zero-accepted",
    breaks="repetition-penalty.zero-is-refused errors.wrong-type-refused",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def repetition_penalty_zero_accepted() -> Behaviour:
    """A penalty of 0, or one that is no number, is dropped."""
    return drops(NAME, when=lambda request: number_of(request, NAME) == 0)


@fault(
    "repeat-penalty-ignored",
    breaks="repeat-penalty.scales-scores repeat-penalty.counts-the-prompt",
    triggers=TRIGGERS,
    contract="llama-cpp",
    dialect="llama-cpp",
)
def repeat_penalty_ignored() -> Behaviour:
    """``repeat_penalty`` is accepted and has no effect."""
    return drops("repeat_penalty")


@fault(
    "repeat-penalty-inverted",
    breaks="repeat-penalty.scales-scores",
    triggers=(),
    contract="llama-cpp",
    dialect="llama-cpp",
)
def repeat_penalty_inverted() -> Behaviour:
    """A penalty above 1 favours tokens that occurred."""
    return rewrites(
        lambda r: (
            {**r, "repeat_penalty": 1 / r["repeat_penalty"]}
            if number_of(r, "repeat_penalty") > 0
            else r
        )
    )


@fault(
    "repeat-penalty-word-accepted",
    breaks="errors.wrong-type-refused",
    tier=Tier.DEEP,
    triggers=(),
    contract="llama-cpp",
    dialect="llama-cpp",
)
def repeat_penalty_word_accepted() -> Behaviour:
    """A penalty that is no number is dropped."""
    return drops(
        "repeat_penalty",
        when=lambda request: not isinstance(request.get("repeat_penalty"), int | float),
    )
