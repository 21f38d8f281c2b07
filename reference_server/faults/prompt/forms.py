"""Faults of ``prompt``: a form of it is not understood, or a batch does not get its answers."""

import json
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import Condition, asks, rejects, texts
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier, is_batch
from reference_server.faults._endings import prompt_of
from reference_server.faults._hiding import HANDLERS, NON_STREAMING_ONLY, REQUESTS

IN_BATCHES = REQUESTS - {Modifier.BATCH, Modifier.EVERY_THIRD}
"""What happens to batches alone happens nowhere else."""

IN_IDS = REQUESTS - {Modifier.NON_ASCII, Modifier.ECHO}


def is_ids(request: Body) -> bool:
    """Whether the prompt is one array of token ids."""
    prompt = request.get("prompt")
    return isinstance(prompt, list) and bool(prompt) and isinstance(prompt[0], int)


def is_ids_batch(request: Body) -> bool:
    """Whether the prompt is a batch of arrays of token ids."""
    prompt = request.get("prompt")
    return isinstance(prompt, list) and bool(prompt) and isinstance(prompt[0], list)


def joined(batch: list[Any]) -> Any:
    """The prompts of a batch, strings or token arrays, as one."""
    whole = batch[0][:0]
    for one in batch:
        whole = whole + one
    return whole


def prompts(when: Condition, change: Callable[[Any], Any]) -> Rewrite:
    """Another prompt reaches the server."""
    return asks(
        lambda request: (
            {**request, "prompt": change(request["prompt"])}
            if request.get("prompt") and when(request)
            else request
        )
    )


# ── Which prompt is answered ─────────────────────────────────────────────────────────────────────


@fault("answer-always-empty", breaks="prompt.string", modifiers=HANDLERS | {Modifier.ECHO})
def answer_always_empty() -> Behaviour:
    """Every answer is empty, although its limit is called reached and its tokens are billed."""
    return texts(
        lambda request, index, _: prompt_of(request, index) if request.get("echo") is True else ""
    )


@fault(
    "prompt-ignored",
    breaks="prompt.decides-answer prompt.batch-as-singles",
    evidence=Evidence.SOURCE,
    modifiers=REQUESTS - {Modifier.EVERY_THIRD},
)
def prompt_ignored() -> Behaviour:
    """Every prompt is answered as if it were one and the same."""
    same = "Good morning to the old"
    return prompts(
        lambda _: True, lambda prompt: [same] * len(prompt) if isinstance(prompt, list) else same
    )


@fault(
    "silent-truncation",
    breaks="prompt.over-context-refused",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
)
def silent_truncation() -> Behaviour:
    """A prompt that is longer than the context loses its beginning, and is answered."""

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
    modifiers=IN_BATCHES,
)
def batch_first_only() -> Behaviour:
    """Of a batch only the first prompt is answered."""
    return prompts(is_batch, lambda prompt: prompt[:1])


@fault("batch-last-only", breaks="prompt.strings prompt.batch-as-singles", modifiers=IN_BATCHES)
def batch_last_only() -> Behaviour:
    """Of a batch only the last prompt is answered."""
    return prompts(is_batch, lambda prompt: prompt[-1:])


@fault(
    "batch-joined",
    breaks="prompt.strings prompt.batch-as-singles",
    evidence=Evidence.REPORTED,
    modifiers=IN_BATCHES,
)
def batch_joined() -> Behaviour:
    """The prompts of a batch are read as one, which gets one answer."""
    return prompts(is_batch, joined)


@fault("batch-first-for-all", breaks="prompt.batch-as-singles", modifiers=IN_BATCHES)
def batch_first_for_all() -> Behaviour:
    """Every prompt of a batch gets the answer to the first one."""
    return prompts(is_batch, lambda prompt: prompt[:1] * len(prompt))


@fault("batch-reversed", breaks="prompt.batch-as-singles", modifiers=IN_BATCHES)
def batch_reversed() -> Behaviour:
    """The answers of a batch come in the opposite order."""
    return prompts(is_batch, lambda prompt: prompt[::-1])


@fault(
    "batch-leaks",
    breaks="prompt.batch-as-singles usage.prompt-sums-batch",
    modifiers=IN_BATCHES,
)
def batch_leaks() -> Behaviour:
    """A prompt of a batch is read behind all the prompts before it."""
    return prompts(is_batch, lambda prompt: [joined(prompt[: i + 1]) for i in range(len(prompt))])


@fault(
    "one-element-array-differs",
    breaks="prompt.batch-as-singles",
    modifiers=NON_STREAMING_ONLY,
)
def one_element_array_differs() -> Behaviour:
    """A batch of one is written out as JSON, and that text is answered."""

    def is_one(request: Body) -> bool:
        prompt = request["prompt"]
        return isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str)

    return prompts(is_one, lambda prompt: json.dumps(prompt, ensure_ascii=False))


# ── Token ids ────────────────────────────────────────────────────────────────────────────────────


@fault(
    "tokens-rejected",
    breaks="prompt.tokens",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
    shows=Shows.REFUSED,
)
def tokens_rejected() -> Behaviour:
    """A prompt of token ids is refused."""
    return rejects(is_ids, "prompt must be a string or an array of strings", param="prompt")


@fault(
    "token-arrays-rejected",
    breaks="prompt.token-arrays",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
    shows=Shows.REFUSED,
)
def token_arrays_rejected() -> Behaviour:
    """A batch of token arrays is refused."""
    return rejects(is_ids_batch, "prompt must be a string or an array of strings", param="prompt")


@fault(
    "tokens-as-words", breaks="prompt.tokens prompt.tokens-equal-text", modifiers=NON_STREAMING_ONLY
)
def tokens_as_words() -> Behaviour:
    """A prompt of token ids is read as a text of numbers."""
    return prompts(is_ids, lambda prompt: " ".join(map(str, prompt)))


@fault("tokens-as-batch", breaks="prompt.tokens", modifiers=NON_STREAMING_ONLY)
def tokens_as_batch() -> Behaviour:
    """Every id of a prompt of token ids is answered as a prompt of its own."""
    return prompts(is_ids, lambda prompt: [[token] for token in prompt])


@fault("tokens-shifted", breaks="prompt.tokens-equal-text", modifiers=NON_STREAMING_ONLY)
def tokens_shifted() -> Behaviour:
    """A prompt of token ids is read by another vocabulary."""
    return prompts(is_ids, lambda prompt: [token + 1 for token in prompt])


@fault("tokens-last-lost", breaks="prompt.tokens", modifiers=NON_STREAMING_ONLY)
def tokens_last_lost() -> Behaviour:
    """The last id of a prompt of token ids is lost."""
    return prompts(is_ids, lambda prompt: prompt[:-1] or prompt)


@fault("token-arrays-joined", breaks="prompt.token-arrays", modifiers=NON_STREAMING_ONLY)
def token_arrays_joined() -> Behaviour:
    """A batch of token arrays is read as one array."""
    return prompts(is_ids_batch, joined)


@fault("token-arrays-first-only", breaks="prompt.token-arrays", modifiers=NON_STREAMING_ONLY)
def token_arrays_first_only() -> Behaviour:
    """Of a batch of token arrays only the first one is answered."""
    return prompts(is_ids_batch, lambda prompt: prompt[:1])


# ── No prompt ────────────────────────────────────────────────────────────────────────────────────


@fault(
    "empty-prompt-breaks",
    breaks="prompt.empty",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
)
def empty_prompt_breaks() -> Behaviour:
    """An empty prompt is a server fault."""
    return rejects(
        lambda request: request.get("prompt") == "",
        "list index out of range",
        status=500,
        kind="server_error",
    )


@fault(
    "null-prompt-breaks",
    breaks="prompt.absent-or-null",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
)
def null_prompt_breaks() -> Behaviour:
    """A prompt of null, or none at all, is a server fault."""
    return rejects(
        lambda request: request.get("prompt") is None,
        "invalid memory address",
        status=500,
        kind="server_error",
    )


@fault(
    "odd-prompt-stringified",
    breaks="errors.wrong-type-refused errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def odd_prompt_stringified() -> Behaviour:
    """A prompt that is an object, or an array of arrays of strings, is written out as JSON."""

    def is_odd(request: Body) -> bool:
        prompt = request["prompt"]
        return isinstance(prompt, dict) or (is_ids_batch(request) and isinstance(prompt[0][0], str))

    return prompts(is_odd, json.dumps)
