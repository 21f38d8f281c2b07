"""One example as it was sent and what its client made of the answer: the views that judging needs.

Every view that finds something missing raises :class:`~conformance.judgement.Failure`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.docs_audit.clients.response import ClientResponse
from conformance.docs_audit.page import Example, Page
from conformance.judgement import Failure, shown
from conformance.protocol.completion import Choice, JsonObject, join_chunks


@dataclass(frozen=True)
class Case:
    """An example, the request that was sent for it, and the reply."""

    page: Page
    example: Example
    request: Mapping[str, Any]
    response: ClientResponse

    @property
    def streamed(self) -> bool:
        """Whether a stream was asked for."""
        return self.request.get("stream") is True

    @property
    def prompts(self) -> Sequence[Any]:
        """The prompts, one by one; a flat array of token ids is one."""
        prompt = self.request.get("prompt")
        if isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt):
            return prompt
        return [prompt]

    @property
    def choices_per_prompt(self) -> int:
        """How many choices are asked for each prompt."""
        return self.count("n") or 1

    def count(self, parameter: str) -> int | None:
        """Return a number that was asked for; None where none was, or where it is no integer."""
        value = self.request.get(parameter)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @cached_property
    def documents(self) -> tuple[JsonObject, ...]:
        """The JSON objects that came: the answer, or each chunk of the stream."""
        came = self.response.chunks if self.streamed else (self.response.response,)
        if not came:
            raise Failure("a stream of chunks", "no chunk")
        for document in came:
            if not isinstance(document, Mapping):
                raise Failure("a JSON object", shown(document))
        return tuple(came)

    @cached_property
    def body(self) -> JsonObject:
        """The answer; a stream's chunks joined to the shape of a plain one."""
        return join_chunks(self.documents) if self.streamed else self.documents[0]

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The choices as they came, at least one."""
        value = self.body.get("choices")
        if not isinstance(value, list) or not value:
            raise Failure("choices a non-empty array", f"the answer is {shown(self.body)}")
        for raw in value:
            if not isinstance(raw, Mapping):
                raise Failure("choices of objects", f"choices = {shown(value)}")
        return tuple(Choice(raw, f"choices[{i}]") for i, raw in enumerate(value))

    def generated(self, choice: Choice) -> str:
        """Return a choice's text without the prompt that it was asked to echo."""
        text = choice.text
        prompt = self.prompt_of(choice)
        if self.request.get("echo") is True and isinstance(prompt, str):
            return text.removeprefix(prompt)
        return text

    def prompt_of(self, choice: Choice) -> Any:
        """Return the prompt that a choice continues; None where its index belongs to none."""
        position = choice.index // self.choices_per_prompt
        return self.prompts[position] if 0 <= position < len(self.prompts) else None
