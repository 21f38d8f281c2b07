"""Conditions on requests that variants share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.messages import Body

KNOWN = frozenset(
    {"model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "best_of", "seed"}
    | {"stream", "stream_options", "logprobs", "echo", "stop", "logit_bias", "user"}
    | {"presence_penalty", "frequency_penalty"}
)
"""The parameters of the endpoint."""

_DISABLED: dict[str, Any] = {"echo": False}


def uses(name: str) -> Callable[[Body], bool]:
    """The condition that a parameter is in use: present, not null and not switched off."""
    return lambda request: (
        request.get(name) is not None and request[name] is not _DISABLED.get(name)
    )


def is_several(value: object) -> bool:
    """Whether a count is above 1."""
    return isinstance(value, int) and value > 1


def is_above(value: object, most: int) -> bool:
    """Whether a value is an integer above another."""
    return isinstance(value, int) and not isinstance(value, bool) and value > most


def prompts_of(request: Body) -> list[Any]:
    """The prompts of a request, each a string or a list of token ids; null if there is none."""
    prompt = request.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str | list):
        return prompt
    return [prompt]


def has_tokens(request: Body) -> bool:
    """Whether a prompt consists of token ids."""
    return any(isinstance(prompt, list) and prompt for prompt in prompts_of(request))
