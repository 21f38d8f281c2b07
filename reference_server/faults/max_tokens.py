"""Faults of ``max_tokens``: another limit or another default applies."""

import re
from collections.abc import Callable

from reference_server.behaviour.builders import drops, rewrites, sets
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger, is_batch
from reference_server.faults._triggers import NON_STREAMING_ONLY, REQUESTS, SINGLE_PROMPT

OVER_CONTEXT = re.compile(rb"length is (\d+) tokens.*?\((\d+) in your prompt; (\d+) for")
"""The context, the prompt's tokens and the limit in the server's error."""


def limit(change: Callable[[Body, int], int]) -> Rewrite:
    """Replace the limit of a request: ``(request, limit)``."""

    def rewrite(request: Body) -> Body:
        given = request.get("max_tokens")
        if not isinstance(given, int) or given < 1:
            return request
        return {**request, "max_tokens": change(request, given)}

    return rewrites(rewrite)


def is_absent(request: Body) -> bool:
    """Whether ``max_tokens`` is absent."""
    return "max_tokens" not in request


def is_null(request: Body) -> bool:
    """Whether ``max_tokens`` is null."""
    return "max_tokens" in request and request["max_tokens"] is None


def is_zero(request: Body) -> bool:
    """Whether ``max_tokens`` is 0."""
    return "max_tokens" in request and request["max_tokens"] == 0


@fault("max-tokens-ignored", breaks="max-tokens.limits-answer", evidence=Evidence.SIBLING)
def max_tokens_ignored() -> Behaviour:
    """Up to 40 tokens are generated, regardless of the limit."""
    return limit(lambda *_: 40)


@fault("max-tokens-dropped", breaks="max-tokens.limits-answer", evidence=Evidence.SIBLING)
def max_tokens_dropped() -> Behaviour:
    """``max_tokens`` is dropped, and the default applies."""
    return drops("max_tokens")


@fault("max-tokens-one-more", breaks="max-tokens.limits-answer")
def max_tokens_one_more() -> Behaviour:
    """One token more than allowed is generated."""
    return limit(lambda _, given: given + 1)


@fault("max-tokens-one-less", breaks="max-tokens.limits-answer finish-reason.length-at-limit")
def max_tokens_one_less() -> Behaviour:
    """Completions end one token before their limit, with the finish reason ``length``."""
    return limit(lambda _, given: max(1, given - 1))


@fault(
    "max-tokens-capped",
    breaks="max-tokens.limits-answer finish-reason.length-at-limit",
    triggers=NON_STREAMING_ONLY,
)
def max_tokens_capped() -> Behaviour:
    """Higher limits are lowered to ten tokens, with the finish reason ``length``."""
    return limit(lambda _, given: min(given, 10))


@fault(
    "max-tokens-shared",
    breaks="max-tokens.limits-answer",
    # The second prompt gets fewer tokens than alone.
    also_breaks="prompt.batch-as-singles",
    triggers=REQUESTS - {Trigger.BATCH, Trigger.EVERY_THIRD},
)
def max_tokens_shared() -> Behaviour:
    """The prompts of a batch share one limit."""
    return limit(
        lambda request, given: (
            max(1, given // len(request["prompt"])) if is_batch(request) else given
        )
    )


@fault(
    "max-tokens-steers",
    breaks="max-tokens.longer-extends",
    # The tokens of the instruction are billed.
    also_breaks="usage.prompt-grows-with-text",
    triggers=NON_STREAMING_ONLY,
)
def max_tokens_steers() -> Behaviour:
    """With a low limit, the model is instructed to be brief."""

    def rewrite(request: Body) -> Body:
        given = request.get("max_tokens")
        if not (isinstance(given, int) and 1 < given < 16 and isinstance(request["prompt"], str)):
            return request
        return {**request, "prompt": f"{request['prompt']}\n\nIn a word,"}

    return rewrites(rewrite)


@fault(
    "default-not-16",
    breaks="max-tokens.default-sixteen",
    evidence=Evidence.REPORTED,
    triggers=SINGLE_PROMPT,
)
def default_not_16() -> Behaviour:
    """Without a limit, up to 100 tokens are generated."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=100)


@fault("default-below-16", breaks="max-tokens.default-sixteen", triggers=SINGLE_PROMPT)
def default_below_16() -> Behaviour:
    """Without a limit, a completion ends after ten tokens."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=10)


@fault(
    "default-of-sixteen",
    breaks="max-tokens.default-unlimited",
    triggers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def default_of_sixteen() -> Behaviour:
    """Without a limit, a completion ends after sixteen tokens although no limit is documented."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=16)


@fault(
    "max-tokens-null-unlimited",
    breaks="max-tokens.null-is-default",
    triggers=REQUESTS - {Trigger.EVERY_THIRD},
)
def max_tokens_null_unlimited() -> Behaviour:
    """``max_tokens: null`` is treated as unlimited."""
    return sets(is_null, max_tokens=200)


@fault(
    "max-tokens-null-one",
    breaks="max-tokens.null-is-default",
    triggers=REQUESTS - {Trigger.EVERY_THIRD},
)
def max_tokens_null_one() -> Behaviour:
    """``max_tokens: null`` is replaced by 1."""
    return sets(is_null, max_tokens=1)


@fault(
    "max-tokens-zero-lost",
    breaks="max-tokens.zero-with-echo max-tokens.zero-without-echo",
    also_breaks="echo.zero-tokens-scores-prompt",
    evidence=Evidence.SOURCE,
    triggers=REQUESTS - {Trigger.ECHO},
)
def max_tokens_zero_lost() -> Behaviour:
    """``max_tokens: 0`` is dropped, and the default applies."""
    return drops("max_tokens", when=is_zero)


@fault(
    "max-tokens-negative-accepted",
    breaks="max-tokens.negative-refused errors.stream-refused-as-json",
    triggers=(Trigger.STREAM,),
)
def max_tokens_negative_accepted() -> Behaviour:
    """A negative limit is dropped, and the default applies."""
    return sets(
        lambda request: isinstance(request.get("max_tokens"), int) and request["max_tokens"] < 0,
        max_tokens=200,
    )


@fault(
    "max-tokens-clamped",
    breaks="max-tokens.context-overflow-refused",
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM,),
)
def max_tokens_clamped() -> Behaviour:
    """A limit that exceeds the context is lowered to what remains of it."""
    return sets(
        lambda request: isinstance(request.get("max_tokens"), int) and request["max_tokens"] > 2000,
        max_tokens=1024,
    )


@fault(
    "max-tokens-clamped-to-room",
    breaks="max-tokens.context-overflow-refused",
    evidence=Evidence.REPORTED,
    triggers=(Trigger.STREAM,),
)
def max_tokens_clamped_to_room() -> Behaviour:
    """A limit up to the context is lowered to what the prompt leaves, and a higher one rejected.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/3851
    and, of any limit, for a server on llama.cpp: https://github.com/unslothai/unsloth/issues/7965
    """

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        counts = OVER_CONTEXT.search(response.raw) if response.status == 400 else None
        if counts is None:
            return response
        context, prompt, limit = map(int, counts.groups())
        if prompt >= context or limit > context:
            return response
        return await upstream(request.with_body({**request.body, "max_tokens": context - prompt}))

    return behave


@fault(
    "prompt-shortened-for-limit",
    breaks="max-tokens.context-overflow-refused",
    also_breaks="prompt.over-context-refused",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def prompt_shortened_for_limit() -> Behaviour:
    """A limit that exceeds the context with the prompt is served, without the prompt's beginning.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/2481
    """

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        counts = OVER_CONTEXT.search(response.raw) if response.status == 400 else None
        text = request.body.get("prompt")
        if counts is None or not isinstance(text, str):
            return response
        context, prompt, limit = map(int, counts.groups())
        room = context - min(limit, context - 1)
        kept = text[-max(1, len(text) * room // max(1, prompt)) :]
        limit = min(limit, context - room)
        return await upstream(
            request.with_body({**request.body, "prompt": kept, "max_tokens": limit})
        )

    return behave


@fault(
    "max-tokens-overflow-unexplained",
    breaks="max-tokens.context-overflow-names-counts",
    triggers=(Trigger.STREAM,),
)
def max_tokens_overflow_unexplained() -> Behaviour:
    """The error for a request that exceeds the context does not give the numbers of tokens."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        if response.status != 400 or b"context length" not in response.raw:
            return response
        inner = {**response.body["error"], "message": "The request is too long."}
        return response.with_body({"error": inner})

    return behave
