"""Faults of ``prompt``: a form is not understood, or a batch gets wrong choices."""

import json
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import Condition, rejects, rejects_null, rewrites, texts
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Shows, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger, is_batch
from reference_server.faults._endings import prompt_of
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY, REQUESTS

IN_BATCHES = REQUESTS - {Trigger.BATCH, Trigger.EVERY_THIRD}
"""Triggers of faults that affect batches only."""

IN_IDS = REQUESTS - {Trigger.NON_ASCII, Trigger.ECHO}


def is_ids(request: Body) -> bool:
    """Whether the prompt is one array of token ids."""
    prompt = request.get("prompt")
    return isinstance(prompt, list) and bool(prompt) and isinstance(prompt[0], int)


def is_ids_batch(request: Body) -> bool:
    """Whether the prompt is a batch of arrays of token ids."""
    prompt = request.get("prompt")
    return isinstance(prompt, list) and bool(prompt) and isinstance(prompt[0], list)


def joined(batch: list[Any]) -> Any:
    """The prompts of a batch, strings or token arrays, joined."""
    whole = batch[0][:0]
    for one in batch:
        whole = whole + one
    return whole


def prompts(when: Condition, change: Callable[[Any], Any]) -> Rewrite:
    """Replace the prompt."""
    return rewrites(
        lambda request: (
            {**request, "prompt": change(request["prompt"])}
            if request.get("prompt") and when(request)
            else request
        )
    )


# ── Which prompt is completed ───────────────────────────────────────────────────────────────────


@fault("answer-always-empty", breaks="prompt.string", triggers=HANDLERS | {Trigger.ECHO})
def answer_always_empty() -> Behaviour:
    """Every completion is empty, with the finish reason ``length``, and its tokens are counted."""
    return texts(
        lambda request, index, _: prompt_of(request, index) if request.get("echo") is True else ""
    )


@fault(
    "prompt-ignored",
    breaks="prompt.decides-answer prompt.batch-as-singles",
    evidence=Evidence.SOURCE,
    triggers=REQUESTS - {Trigger.EVERY_THIRD},
)
def prompt_ignored() -> Behaviour:
    """Every prompt is replaced by the same one."""
    same = "Good morning to the old"
    return prompts(
        lambda _: True, lambda prompt: [same] * len(prompt) if isinstance(prompt, list) else same
    )


@fault(
    "silent-truncation",
    breaks="prompt.over-context-refused",
    also_breaks="max-tokens.context-overflow-refused",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def silent_truncation() -> Behaviour:
    """A prompt that exceeds the context loses its beginning, and is served."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        body, response = request.body, await upstream(request)
        while (
            response.status == 400 and b"context length" in response.raw and len(body["prompt"]) > 1
        ):
            body = {**body, "prompt": body["prompt"][len(body["prompt"]) // 4 + 1 :]}
            response = await upstream(request.with_body(body))
        return response

    return behave


# ── Batches ──────────────────────────────────────────────────────────────────────────────────────


@fault(
    "batch-first-only",
    breaks="prompt.strings prompt.batch-as-singles",
    evidence=Evidence.REPORTED,
    triggers=IN_BATCHES,
)
def batch_first_only() -> Behaviour:
    """Only the first prompt of a batch is completed."""
    return prompts(is_batch, lambda prompt: prompt[:1])


@fault("batch-last-only", breaks="prompt.strings prompt.batch-as-singles", triggers=IN_BATCHES)
def batch_last_only() -> Behaviour:
    """Only the last prompt of a batch is completed."""
    return prompts(is_batch, lambda prompt: prompt[-1:])


@fault(
    "batch-joined",
    breaks="prompt.strings prompt.batch-as-singles",
    evidence=Evidence.REPORTED,
    triggers=IN_BATCHES,
)
def batch_joined() -> Behaviour:
    """The prompts of a batch are joined to one, which gets one completion."""
    return prompts(is_batch, joined)


class _LastOfCandidates:
    """Of a batch with more candidates than choices, only the last prompt is answered."""

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        body = request.body
        candidates, shown = body.get("best_of"), body.get("n") or 1
        if response.status != 200 or not is_batch(body) or not candidates or candidates <= shown:
            return response
        last = (len(body["prompt"]) - 1) * candidates
        left = [
            {**choice, "index": last + place}
            for place, choice in enumerate(response.body["choices"][-shown:])
        ]
        return response.with_body({**response.body, "choices": left})


@fault(
    "batch-with-best-of-last-only",
    breaks="best-of.returns-best prompt.strings",
    also_breaks="index.each-once index.prompt-major n.count echo.own-prompt-in-batch"
    " usage.completion-sums-choices prompt.batch-as-singles prompt.token-arrays",
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
)
def batch_with_best_of_last_only() -> Behaviour:
    """Of a batch with ``best_of``, only the last prompt's choices are returned, with high indices.

    Reported for OpenAI: https://github.com/openai/openai-python/issues/90
    """
    return _LastOfCandidates()


@fault("batch-first-for-all", breaks="prompt.batch-as-singles", triggers=IN_BATCHES)
def batch_first_for_all() -> Behaviour:
    """Every prompt of a batch gets the completion of the first one."""
    return prompts(is_batch, lambda prompt: prompt[:1] * len(prompt))


@fault(
    "batch-reversed",
    breaks="prompt.batch-as-singles",
    also_breaks="index.prompt-major",
    triggers=IN_BATCHES,
)
def batch_reversed() -> Behaviour:
    """The choices of a batch are in reverse order."""
    return prompts(is_batch, lambda prompt: prompt[::-1])


@fault(
    "batch-leaks",
    breaks="prompt.batch-as-singles usage.prompt-sums-batch",
    triggers=IN_BATCHES,
)
def batch_leaks() -> Behaviour:
    """Each prompt of a batch is read with all previous prompts before it."""
    return prompts(is_batch, lambda prompt: [joined(prompt[: i + 1]) for i in range(len(prompt))])


@fault(
    "one-element-array-differs",
    breaks="prompt.batch-as-singles",
    # The echo shows the text that is completed.
    also_breaks="echo.prompt-then-completion",
    triggers=NON_STREAMING_ONLY,
)
def one_element_array_differs() -> Behaviour:
    """A batch of one prompt is converted to JSON, and that text is completed."""

    def is_one(request: Body) -> bool:
        prompt = request["prompt"]
        return isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str)

    return prompts(is_one, lambda prompt: json.dumps(prompt, ensure_ascii=False))


# ── Token ids ────────────────────────────────────────────────────────────────────────────────────


@fault(
    "tokens-rejected",
    breaks="prompt.tokens",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
    shows=Shows.REFUSED,
)
def tokens_rejected() -> Behaviour:
    """A prompt of token ids is rejected."""
    return rejects(is_ids, "prompt must be a string or an array of strings", param="prompt")


@fault(
    "token-arrays-rejected",
    breaks="prompt.token-arrays",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
    shows=Shows.REFUSED,
)
def token_arrays_rejected() -> Behaviour:
    """A batch of token arrays is rejected."""
    return rejects(is_ids_batch, "prompt must be a string or an array of strings", param="prompt")


@fault(
    "tokens-as-words", breaks="prompt.tokens prompt.tokens-equal-text", triggers=NON_STREAMING_ONLY
)
def tokens_as_words() -> Behaviour:
    """A prompt of token ids is read as a text of numbers."""
    return prompts(is_ids, lambda prompt: " ".join(map(str, prompt)))


@fault("tokens-as-batch", breaks="prompt.tokens", triggers=NON_STREAMING_ONLY)
def tokens_as_batch() -> Behaviour:
    """Each id of a prompt of token ids is completed as a separate prompt."""
    return prompts(is_ids, lambda prompt: [[token] for token in prompt])


@fault("tokens-shifted", breaks="prompt.tokens-equal-text", triggers=NON_STREAMING_ONLY)
def tokens_shifted() -> Behaviour:
    """A prompt of token ids is read with another vocabulary."""
    return prompts(is_ids, lambda prompt: [token + 1 for token in prompt])


@fault("tokens-last-lost", breaks="prompt.tokens", triggers=NON_STREAMING_ONLY)
def tokens_last_lost() -> Behaviour:
    """The last id of a prompt of token ids is dropped."""
    return prompts(is_ids, lambda prompt: prompt[:-1] or prompt)


@fault("token-arrays-joined", breaks="prompt.token-arrays", triggers=NON_STREAMING_ONLY)
def token_arrays_joined() -> Behaviour:
    """A batch of token arrays is read as one array."""
    return prompts(is_ids_batch, joined)


@fault("token-arrays-first-only", breaks="prompt.token-arrays", triggers=NON_STREAMING_ONLY)
def token_arrays_first_only() -> Behaviour:
    """Only the first of several token arrays is completed."""
    return prompts(is_ids_batch, lambda prompt: prompt[:1])


# ── No prompt ────────────────────────────────────────────────────────────────────────────────────


@fault(
    "empty-prompt-breaks",
    breaks="prompt.empty",
    # The document allows the request.
    also_breaks="errors.good-input-no-server-fault",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def empty_prompt_breaks() -> Behaviour:
    """An empty prompt causes a server error."""
    return rejects(
        lambda request: request.get("prompt") == "",
        "list index out of range",
        status=500,
        kind="server_error",
    )


@fault(
    "null-prompt-breaks",
    breaks="prompt.absent-or-null",
    # The document allows the request.
    also_breaks="errors.good-input-no-server-fault",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def null_prompt_breaks() -> Behaviour:
    """A prompt that is null or absent causes a server error."""
    return rejects(
        lambda request: request.get("prompt") is None,
        "invalid memory address",
        status=500,
        kind="server_error",
    )


@fault(
    "odd-prompt-stringified",
    breaks="errors.wrong-type-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def odd_prompt_stringified() -> Behaviour:
    """A prompt that is an object, or an array of arrays of strings, is converted to JSON."""

    def is_odd(request: Body) -> bool:
        prompt = request["prompt"]
        return isinstance(prompt, dict) or (is_ids_batch(request) and isinstance(prompt[0][0], str))

    return prompts(is_odd, json.dumps)


@fault(
    "null-prompt-refused",
    breaks="prompt.null-begins-document",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def null_prompt_refused() -> Behaviour:
    """A prompt of null is rejected.

    Reported for llama.cpp, of other parameters: https://github.com/ggml-org/llama.cpp/issues/25515
    """
    return rejects_null("prompt")


@fault(
    "empty-prompt-unanswered",
    breaks="finish-reason.length-has-tokens",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def empty_prompt_unanswered() -> Behaviour:
    """An empty prompt gets no token, and the finish reason ``length``.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/pull/5953
    and, of the requests behind it, https://github.com/ggml-org/llama.cpp/issues/5246
    """

    def change(request: Body, whole: Body) -> Body:
        if request.get("prompt") != "":
            return whole
        empty = {"text": "", "logprobs": None, "finish_reason": "length"}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return {
            **whole,
            "choices": [{**choice, **empty} for choice in whole["choices"]],
            "usage": usage,
        }

    return Rewrite(non_streaming=change)
