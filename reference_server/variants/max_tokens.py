"""A limit of no tokens: declined, or served without ``echo`` too."""

from __future__ import annotations

from reference_server.behaviour.builders import declines
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite


@variant("no-zero-tokens", refuses="max_tokens echo")
def no_zero_tokens() -> Behaviour:
    """``max_tokens: 0`` is declined, with ``echo`` too: something has to be generated."""
    return declines(
        lambda asked: asked.get("max_tokens") == 0,
        "max_tokens must be at least 1, got 0.",
        param="max_tokens",
    )


@variant("zero-tokens-without-echo")
def zero_tokens_without_echo() -> Behaviour:
    """``max_tokens: 0`` without ``echo`` is answered with empty text, and nothing is billed."""

    def generates_nothing(asked: Body) -> bool:
        return asked.get("max_tokens") == 0 and asked.get("echo") is not True

    def ask(asked: Body) -> Body:
        return {**asked, "max_tokens": 1} if generates_nothing(asked) else asked

    def emptied(asked: Body, whole: Body) -> Body:
        if not generates_nothing(asked):
            return whole
        none: Body = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        told = [
            {**c, "text": "", "logprobs": c["logprobs"] and none, "finish_reason": "length"}
            for c in whole["choices"]
        ]
        bill = whole.get("usage")
        if bill:
            prompt = bill["prompt_tokens"]
            bill = {"prompt_tokens": prompt, "completion_tokens": 0, "total_tokens": prompt}
        return {**whole, "choices": told, **({"usage": bill} if "usage" in whole else {})}

    def chunks(asked: Body, sent: list[Body]) -> list[Body]:
        return [emptied(asked, chunk) for chunk in sent]

    return Rewrite(ask=ask, plain=emptied, chunks=chunks)
