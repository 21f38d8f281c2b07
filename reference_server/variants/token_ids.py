"""Servers that conform although they differ in what today's servers return beside the text."""

from __future__ import annotations

from http import HTTPStatus

from reference_server.behaviour.builders import each_choice, rejects
from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse, Upstream
from reference_server.behaviour.registry import variant

FIELDS = ("stop_reason", "token_ids", "prompt_token_ids", "prompt_logprobs")
PARAMETERS = (
    *("min_tokens", "stop_token_ids", "include_stop_str_in_output", "return_token_ids"),
    *("return_tokens_as_token_ids", "prompt_logprobs"),
)


@variant("null-fields-omitted", contract="vllm", dialect="vllm")
def null_fields_omitted() -> Behaviour:
    """Fields of a choice that were not asked for are left out instead of null."""
    return each_choice(
        lambda _, choice: {
            name: value for name, value in choice.items() if name not in FIELDS or value is not None
        }
    )


@variant(
    "no-token-extras",
    refuses=" ".join(PARAMETERS),
    contract="vllm",
    dialect="vllm",
)
def no_token_extras() -> Behaviour:
    """Parameters about single tokens are rejected with 400."""
    return rejects(
        lambda request: any(request.get(name) is not None for name in PARAMETERS),
        "Parameters about single tokens are not supported.",
    )


@variant("stop-token-left-out", contract="vllm", dialect="vllm")
def stop_token_left_out() -> Behaviour:
    """A token of ``stop_token_ids`` ends the text and is not in it, as in vLLM's source."""
    return _left_out


async def _left_out(request: ClientRequest, upstream: Upstream) -> ServerResponse:
    right = await upstream(request)
    body = request.body
    if right.status != HTTPStatus.OK or right.is_stream or not body.get("stop_token_ids"):
        return right
    choices = right.body["choices"]
    if len(choices) != 1 or not isinstance(choices[0].get("stop_reason"), int):
        return right
    count = right.body["usage"]["completion_tokens"]
    without = {name: value for name, value in body.items() if name != "stop_token_ids"}
    shorter = await upstream(request.with_body({**without, "max_tokens": count - 1}))
    text = shorter.body["choices"][0]["text"]
    return right.with_body({**right.body, "choices": [{**choices[0], "text": text}]})
