"""An independent reader of request bodies: defaults, nulls and the four forms of a prompt.

Written from the documents and the table in the server's README, not from the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.oracle.vocabulary import Vocabulary


@dataclass(frozen=True)
class Prompt:
    """A prompt in tokens."""

    ids: tuple[int, ...]
    """What is echoed and scored."""
    read: tuple[int, ...]
    """What the model reads."""
    start: int
    """Where `ids` stand in `read`, if there are any."""


@dataclass(frozen=True)
class CompletionRequest:
    """Everything a response depends on, with defaults."""

    prompts: tuple[Prompt, ...]
    max_tokens: int
    temperature: float
    top_p: float
    n: int
    best_of: int
    stream: bool
    include_usage: bool
    echo: bool
    logprobs: int | None
    stop: tuple[str, ...]
    presence: float
    frequency: float
    bias: Mapping[int, float]
    seed: int | None


def read(body: Mapping[str, Any], vocabulary: Vocabulary) -> CompletionRequest:
    """What a body that can be served asks for; null is as if absent."""
    given = {name: value for name, value in body.items() if value is not None}
    n = given.get("n", 1)
    stop = given.get("stop", [])
    return CompletionRequest(
        prompts=tuple(
            _arranged(prompt, given.get("suffix", ""), vocabulary)
            for prompt in _prompts(given.get("prompt"))
        ),
        max_tokens=given.get("max_tokens", 16),
        temperature=given.get("temperature", 1),
        top_p=given.get("top_p", 1),
        n=n,
        best_of=given.get("best_of", 0) or n,
        stream=given.get("stream", False),
        include_usage=given.get("stream_options", {}).get("include_usage", False),
        echo=given.get("echo", False),
        logprobs=given.get("logprobs"),
        stop=tuple(filter(None, [stop] if isinstance(stop, str) else stop)),
        presence=given.get("presence_penalty", 0),
        frequency=given.get("frequency_penalty", 0),
        bias={int(token): value for token, value in given.get("logit_bias", {}).items()},
        seed=given.get("seed"),
    )


def predictable(body: Mapping[str, Any]) -> bool:
    """Whether a repeated request samples the same tokens."""
    greedy = body.get("temperature") == 0
    return greedy or body.get("seed") is not None or body.get("max_tokens") == 0


def _prompts(prompt: Any) -> list[str | list[int] | None]:
    several = isinstance(prompt, list) and not isinstance(prompt[0], int)
    return prompt if several else [prompt]


def _arranged(prompt: str | list[int] | None, suffix: str, vocabulary: Vocabulary) -> Prompt:
    ids = vocabulary.encode(prompt or "") if not isinstance(prompt, list) else tuple(prompt)
    if suffix:
        after = vocabulary.encode(suffix)
        around = (vocabulary.prefix, *ids, vocabulary.suffix, *after, vocabulary.middle)
        return Prompt(ids, around, 1)
    if prompt is None:
        ids = (vocabulary.end,)
    return Prompt(ids, ids or (vocabulary.end,), 0)
