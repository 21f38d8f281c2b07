"""Servers that accept only some forms of a prompt."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import has_tokens
from reference_server.behaviour.registry import variant
from reference_server.behaviour.triggers import is_batch


@variant("no-token-prompts", refuses="prompt:tokens")
def no_token_prompts() -> Behaviour:
    """Prompts of token ids are rejected, alone and in batches."""
    return rejects(has_tokens, "prompt must be a string or a list of strings", param="prompt")


@variant("no-batches", refuses="prompt:batch")
def no_batches() -> Behaviour:
    """More than one prompt in a request is rejected; an array with one is served."""
    return rejects(is_batch, "batched prompts are not supported", param="prompt")


@variant("only-strings", refuses="prompt:batch prompt:tokens")
def only_strings() -> Behaviour:
    """A prompt must be a string: every array is rejected."""
    return rejects(
        lambda request: isinstance(request.get("prompt"), list),
        "'prompt' must be a string",
        param="prompt",
    )


@variant("no-empty-prompt", refuses="prompt")
def no_empty_prompt() -> Behaviour:
    """A prompt that is empty, null or absent is rejected."""
    return rejects(
        lambda request: request.get("prompt") in (None, "", [""]),
        "prompt is required and must not be empty",
        param="prompt",
    )
