"""``max_tokens``: 0 is rejected, or served without ``echo``; the largest value is a low one."""

from __future__ import annotations

from reference_server.behaviour.builders import number_of, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

MAX_RESPONSE_TOKENS = 512


@variant("no-zero-tokens", refuses="max_tokens echo")
def no_zero_tokens() -> Behaviour:
    """``max_tokens: 0`` is rejected, with ``echo`` too."""
    return rejects(
        lambda request: request.get("max_tokens") == 0,
        "max_tokens must be at least 1, got 0.",
        param="max_tokens",
    )


@variant("no-echo-nor-zero-tokens", refuses="max_tokens echo")
def no_echo_nor_zero_tokens() -> Behaviour:
    """``echo`` is rejected, and so is ``max_tokens: 0``, which means nothing without it."""
    return rejects(
        lambda request: request.get("max_tokens") == 0 or uses("echo")(request),
        "echo and max_tokens: 0 are not supported",
        param="echo",
    )


@variant("zero-tokens-without-echo")
def zero_tokens_without_echo() -> Behaviour:
    """``max_tokens: 0`` without ``echo`` returns an empty text and counts no completion tokens."""

    def generates_nothing(request: Body) -> bool:
        return request.get("max_tokens") == 0 and request.get("echo") is not True

    def rewrite(request: Body) -> Body:
        return {**request, "max_tokens": 1} if generates_nothing(request) else request

    def emptied(request: Body, whole: Body) -> Body:
        if not generates_nothing(request):
            return whole
        none: Body = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        result = [
            {**c, "text": "", "logprobs": c["logprobs"] and none, "finish_reason": "length"}
            for c in whole["choices"]
        ]
        usage = whole.get("usage")
        if usage:
            prompt = usage["prompt_tokens"]
            usage = {"prompt_tokens": prompt, "completion_tokens": 0, "total_tokens": prompt}
        return {**whole, "choices": result, **({"usage": usage} if "usage" in whole else {})}

    def chunks(request: Body, sent: list[Body]) -> list[Body]:
        return [emptied(request, chunk) for chunk in sent]

    return Rewrite(request=rewrite, non_streaming=emptied, chunks=chunks)


@variant("response-limit")
def response_limit() -> Behaviour:
    """A response has at most 512 tokens, and the error for more does not state the context."""
    return rejects(
        lambda request: number_of(request, "max_tokens") > MAX_RESPONSE_TOKENS,
        "max_tokens is too large: 10000000. This model supports at most "
        f"{MAX_RESPONSE_TOKENS} completion tokens.",
        param="max_tokens",
    )
