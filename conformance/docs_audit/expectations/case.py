"""One example with its request and its client's view of the response; pure.

Every accessor raises :class:`~conformance.judgement.Failure` if the response lacks the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.docs_audit.clients.response import ClientResponse
from conformance.docs_audit.page import Example, Page
from conformance.judgement import Failure, shown
from conformance.message import say
from conformance.protocol.completion import Choice, JsonObject, join_chunks


@dataclass(frozen=True)
class Case:
    """An example, the request that was sent for it, and the response."""

    page: Page
    example: Example
    request: Mapping[str, Any]
    response: ClientResponse

    @property
    def streamed(self) -> bool:
        """Whether a stream was requested."""
        return self.request.get("stream") is True

    @property
    def prompts(self) -> Sequence[Any]:
        """All prompts; a flat array of token ids is one prompt."""
        prompt = self.request.get("prompt")
        if isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt):
            return prompt
        return [prompt]

    @property
    def choices_per_prompt(self) -> int:
        """The number of choices per prompt."""
        return self.count("n") or 1

    def count(self, parameter: str) -> int | None:
        """Return an integer parameter; None if it is missing or not an integer."""
        value = self.request.get(parameter)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @cached_property
    def documents(self) -> tuple[JsonObject, ...]:
        """The JSON objects received: the response, or the chunks of the stream."""
        came = self.response.chunks if self.streamed else (self.response.response,)
        if not came:
            raise Failure(say("a stream of chunks"), say("no chunk"))
        for document in came:
            if not isinstance(document, Mapping):
                raise Failure(say("a JSON object"), shown(document))
        return tuple(came)

    @cached_property
    def body(self) -> JsonObject:
        """The response; chunks of a stream are joined."""
        return join_chunks(self.documents) if self.streamed else self.documents[0]

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The choices in the order received, at least one."""
        value = self.body.get("choices")
        if not isinstance(value, list) or not value:
            raise Failure(
                say("choices a non-empty array"),
                say("the response is {body}", body=shown(self.body)),
            )
        for raw in value:
            if not isinstance(raw, Mapping):
                raise Failure(
                    say("choices of objects"), say("choices = {value}", value=shown(value))
                )
        return tuple(Choice(raw, f"choices[{i}]") for i, raw in enumerate(value))

    def generated(self, choice: Choice) -> str:
        """Return a choice's text without the echoed prompt."""
        text = choice.text
        prompt = self.prompt_of(choice)
        if self.request.get("echo") is True and isinstance(prompt, str):
            return text.removeprefix(prompt)
        return text

    def prompt_of(self, choice: Choice) -> Any:
        """Return the prompt that a choice continues; None if its index is out of range."""
        position = choice.index // self.choices_per_prompt
        return self.prompts[position] if 0 <= position < len(self.prompts) else None
