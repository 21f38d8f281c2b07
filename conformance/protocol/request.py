"""A request as an endpoint has to read it: parameter by parameter, each of its documented type.

Whoever judges an answer it did not ask for has only the request to go by. Checks send values of
wrong types on purpose, so every accessor says that there is nothing to judge where it meets one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.judgement import NotApplicable, shown
from conformance.model import Request

COMPLETIONS = "/completions"
"""The path of the endpoint, below the base URL."""

Prompt = str | tuple[int, ...] | None
"""One prompt: text, token ids, or none at all, which stands for the start of a document."""


@dataclass(frozen=True, eq=False)
class CompletionRequest:
    """The JSON object of one request for a completion.

    Every property raises :class:`~conformance.judgement.NotApplicable` for a value of a wrong type.
    """

    raw: Mapping[str, Any]

    @cached_property
    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts, each of which is to get its own choices."""
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
        raise NotApplicable(f"prompt is {shown(prompt)}")

    @property
    def prompt(self) -> Prompt:
        """The prompt of a request for one."""
        if len(self.prompts) != 1:
            raise NotApplicable("the request is a batch")
        return self.prompts[0]

    @property
    def n(self) -> int:
        """How many choices each prompt is to get."""
        return self._count("n", 1, least=1)

    @property
    def best_of(self) -> int:
        """How many candidates the choices are taken from."""
        return self._count("best_of", self.n, least=1)

    @property
    def choices(self) -> int:
        """How many choices the answer is to have."""
        return len(self.prompts) * self.n

    @property
    def max_tokens(self) -> int | None:
        """The limit of each choice; None where the request leaves it to the default."""
        return None if self.raw.get("max_tokens") is None else self._count("max_tokens", 0)

    @property
    def limit(self) -> int:
        """The limit of each choice, where the request states one."""
        if self.max_tokens is None:
            raise NotApplicable("the request states no max_tokens")
        return self.max_tokens

    @property
    def logprobs(self) -> int | None:
        """How many alternatives are asked for; None where no log probabilities are."""
        return None if self.raw.get("logprobs") is None else self._count("logprobs", 0)

    @property
    def echo(self) -> bool:
        """Whether the prompt is to come back before the completion."""
        return _switch(self.raw, "echo")

    @property
    def stream(self) -> bool:
        """Whether the answer is to be a stream."""
        return _switch(self.raw, "stream")

    @property
    def include_usage(self) -> bool:
        """Whether a stream is to end with the bill."""
        options = self.raw.get("stream_options")
        if options is not None and not isinstance(options, dict):
            raise NotApplicable(f"stream_options is {shown(options)}")
        return _switch(options or {}, "include_usage")

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences."""
        stop = self.raw.get("stop")
        sequences = [] if stop is None else [stop] if isinstance(stop, str) else stop
        if not isinstance(sequences, list) or not all(isinstance(s, str) for s in sequences):
            raise NotApplicable(f"stop is {shown(stop)}")
        return tuple(sequences)

    @property
    def temperature(self) -> float | None:
        """The temperature; None where it is left to the default."""
        value = self.raw.get("temperature")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise NotApplicable(f"temperature is {shown(value)}")
        return value

    @property
    def is_greedy(self) -> bool:
        """Whether every token is to be the most probable one."""
        return self.temperature == 0

    def has(self, *names: str) -> bool:
        """Tell whether the request sets one of some parameters to anything but null."""
        return any(self.raw.get(name) is not None for name in names)

    def _count(self, name: str, otherwise: int, *, least: int = 0) -> int:
        value = self.raw.get(name)
        if value is None:
            return otherwise
        if not _is_int(value) or value < least:
            raise NotApplicable(f"{name} is {shown(value)}")
        return int(value)


def read_request(request: Request) -> CompletionRequest | None:
    """Read a request for a completion; None where it is for something else, or no JSON object."""
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
        raise NotApplicable(f"{name} is {shown(value)}")
    return bool(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
