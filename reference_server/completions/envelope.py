"""The shapes of responses: completions, chunks, log probabilities, usage, the list of models.

Field names and their order as in OpenAI's API description of ``CreateCompletionResponse``.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reference_server.engine.choice import TokenEntry


@dataclass(frozen=True)
class Objects:
    """What ``object`` says of a response and of a chunk of a stream."""

    response: str = "text_completion"
    chunk: str = "text_completion"


TEXT_COMPLETION = Objects()


@dataclass(frozen=True)
class Envelope:
    """The fields that all parts of one response share; created once, so constant in a stream."""

    model: str
    fingerprint: str | None
    """None if responses have none."""
    objects: Objects = TEXT_COMPLETION
    has_prompt: bool = False
    """Whether responses have `prompt`, which is empty where nothing is echoed."""
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_urlsafe(21)}")
    created: int = field(default_factory=lambda: int(time.time()))
    """Seconds since 1970."""

    def whole(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A non-streaming response, without usage."""
        prompt: dict[str, Any] = {"prompt": []} if self.has_prompt else {}
        return self._around(choices, self.objects.response) | prompt

    def chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A chunk of a stream, without usage."""
        return self._around(choices, self.objects.chunk)

    def _around(self, choices: list[dict[str, Any]], kind: str) -> dict[str, Any]:
        head: dict[str, Any] = {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
        }
        if self.fingerprint is not None:
            head["system_fingerprint"] = self.fingerprint
        return head | {"choices": choices}


def choice(
    index: int, text: str, entries: Sequence[TokenEntry] | None, finish: str | None
) -> dict[str, Any]:
    """One choice, or what a chunk adds to it; ``entries`` None without ``logprobs``."""
    return {
        "text": text,
        "index": index,
        "logprobs": None if entries is None else logprobs(entries),
        "finish_reason": finish,
    }


def logprobs(entries: Sequence[TokenEntry]) -> dict[str, Any]:
    """The four parallel arrays."""
    return {
        "tokens": [entry.token for entry in entries],
        "token_logprobs": [entry.logprob for entry in entries],
        "top_logprobs": [entry.top for entry in entries],
        "text_offset": [entry.offset for entry in entries],
    }


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """Token counts: each prompt once, and every returned choice."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def model_card(name: str, created: int, owner: str) -> dict[str, Any]:
    """One entry of the list of models."""
    return {"id": name, "object": "model", "created": created, "owned_by": owner}
