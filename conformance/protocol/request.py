"""A completion request as an endpoint must interpret it, with defaults applied.

Passive checks derive the expected response from the recorded request. Other checks send values of
wrong types on purpose; an accessor raises NotApplicable for these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.judgement import NotApplicable, shown
from conformance.message import say
from conformance.model import Request

COMPLETIONS = "/completions"
"""The path of the endpoint, relative to the base URL."""

Prompt = str | tuple[int, ...] | None
"""One prompt: text, token ids, or None, which means the start of a document."""


@dataclass(frozen=True, eq=False)
class CompletionRequest:
    """The JSON object of one completion request.

    Every property raises :class:`~conformance.judgement.NotApplicable` if the parameter has a wrong
    type.
    """

    raw: Mapping[str, Any]

    @cached_property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts; a flat array of token ids is one prompt."""
        prompt = self.raw.get("prompt")
        if prompt is None or isinstance(prompt, str):
            return (prompt,)
        if isinstance(prompt, list) and prompt:
            if all(_is_int(part) for part in prompt):
                return (tuple(prompt),)
            if all(isinstance(part, str) for part in prompt):
                return tuple(prompt)
            if all(isinstance(part, list) and part and all(map(_is_int, part)) for part in prompt):
                return tuple(tuple(part) for part in prompt)
        raise NotApplicable(say("prompt is {value}", value=shown(prompt)))

    @property
    def prompt(self) -> Prompt:
        """The prompt.

        Raises:
            NotApplicable: the request has several prompts.
        """
        if len(self.prompts) != 1:
            raise NotApplicable(say("the request is a batch"))
        return self.prompts[0]

    @property
    def n(self) -> int:
        """The number of choices per prompt."""
        return self._count("n", 1, least=1)

    @property
    def best_of(self) -> int:
        """The number of candidates per prompt; ``n`` by default."""
        return self._count("best_of", self.n, least=1)

    @property
    def choices(self) -> int:
        """The number of choices that the response must have."""
        return len(self.prompts) * self.n

    @property
    def max_tokens(self) -> int | None:
        """The maximum number of tokens per choice; None if the request does not set it."""
        return None if self.raw.get("max_tokens") is None else self._count("max_tokens", 0)

    @property
    def limit(self) -> int:
        """The maximum number of tokens per choice.

        Raises:
            NotApplicable: the request does not set it.
        """
        if self.max_tokens is None:
            raise NotApplicable(say("the request states no max_tokens"))
        return self.max_tokens

    @property
    def logprobs(self) -> int | None:
        """The number of alternatives per token; None if no log probabilities are requested."""
        return None if self.raw.get("logprobs") is None else self._count("logprobs", 0)

    @property
    def echo(self) -> bool:
        """Whether the response must repeat the prompt before the completion."""
        return _switch(self.raw, "echo")

    @property
    def stream(self) -> bool:
        """Whether the response must be a stream."""
        return _switch(self.raw, "stream")

    @property
    def include_usage(self) -> bool:
        """Whether a stream must end with usage."""
        options = self.raw.get("stream_options")
        if options is not None and not isinstance(options, dict):
            raise NotApplicable(say("stream_options is {value}", value=shown(options)))
        return _switch(options or {}, "include_usage")

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences."""
        stop = self.raw.get("stop")
        sequences = [] if stop is None else [stop] if isinstance(stop, str) else stop
        if not isinstance(sequences, list) or not all(isinstance(s, str) for s in sequences):
            raise NotApplicable(say("stop is {value}", value=shown(stop)))
        return tuple(sequences)

    @property
    def temperature(self) -> float | None:
        """The temperature; None if the request does not set it."""
        value = self.raw.get("temperature")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise NotApplicable(say("temperature is {value}", value=shown(value)))
        return value

    @property
    def is_greedy(self) -> bool:
        """Whether the temperature is 0."""
        return self.temperature == 0

    def has(self, *names: str) -> bool:
        """Return whether the request sets one of the named parameters to anything but null."""
        return any(self.raw.get(name) is not None for name in names)

    def _count(self, name: str, otherwise: int, *, least: int = 0) -> int:
        value = self.raw.get(name)
        if value is None:
            return otherwise
        if not _is_int(value) or value < least:
            raise NotApplicable(say("{name} is {value}", name=name, value=shown(value)))
        return int(value)


def read_request(request: Request) -> CompletionRequest | None:
    """Parse a completion request.

    Returns:
        None for another method or path, or a body that is not a JSON object.
    """
    if (request.method, request.path) != ("POST", COMPLETIONS):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return CompletionRequest(body) if isinstance(body, dict) else None


def _switch(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name)
    if value is not None and not isinstance(value, bool):
        raise NotApplicable(say("{name} is {value}", name=name, value=shown(value)))
    return bool(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
