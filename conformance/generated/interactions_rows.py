"""One generated request: prompts and settings, all of which can be taken away one by one.

What is left when nothing more can be taken away is the smallest request that still shows a fault,
and that is what a reader of the report gets to see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from conformance.asked import Asked
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.judgement import shown

Prompt = str | tuple[int, ...]
"""One prompt: text, or token ids."""

ASCII = "1, 2, 3, 4, 5, 6,"
"""The plainest prompt; any language model goes on counting."""

PARTS = ("batch", "listed", "escaped", "limit", "prompt")
"""What can be taken away beside the settings."""


@dataclass(frozen=True, eq=False)
class Row:
    """One greedy request.

    Attributes:
        prompts: one, or the prompts of a batch.
        more: every other setting, by its name in the request.
        limit: ``max_tokens``.
        listed: whether a single prompt is sent as an array of one.
        escaped: whether the JSON writes what is beyond ASCII as escapes.
    """

    prompts: tuple[Prompt, ...]
    more: Mapping[str, Any] = field(default_factory=dict)
    limit: int = MAX_TOKENS
    listed: bool = False
    escaped: bool = False

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The request's JSON object, but for the model."""
        prompts = [list(p) if isinstance(p, tuple) else p for p in self.prompts]
        prompt = prompts if self.listed or len(prompts) > 1 else prompts[0]
        return {"prompt": prompt, "max_tokens": self.limit, "temperature": 0, **self.more}

    @cached_property
    def asked(self) -> Asked:
        """The request as an endpoint has to read it."""
        return Asked(self.body)

    @property
    def suffix(self) -> str | None:
        """The text that the answer leads up to."""
        return self.more.get("suffix")

    @property
    def traits(self) -> tuple[str, ...]:
        """What can be taken away: the names of settings, and of :data:`PARTS`."""
        has = {
            "batch": len(self.prompts) > 1,
            "listed": self.listed and len(self.prompts) == 1,
            "escaped": self.escaped,
            "limit": self.limit != MAX_TOKENS,
            "prompt": len(self.prompts) == 1 and self.prompts[0] != ASCII,
        }
        return (*self.more, *(part for part in PARTS if has[part]))

    def encoded(self, model: str) -> bytes:
        """Write the request as it is sent."""
        named = {"model": model, **self.body}
        return json.dumps(named, ensure_ascii=self.escaped, separators=(",", ":")).encode()

    def without(self, *names: str) -> Row:
        """Take traits away, and whatever makes no sense without them."""
        gone = set(names)
        if "stream" in gone:
            gone.add("stream_options")
        if "n" in gone:
            gone.add("best_of")
        less = {name: value for name, value in self.more.items() if name not in gone}
        limit = MAX_TOKENS if "limit" in gone else self.limit
        if limit == 0 and not less.get("echo"):
            limit = 1
        prompts = self.prompts[:1] if "batch" in gone else self.prompts
        if "prompt" in gone:
            prompts = (ASCII,)
        return replace(
            self,
            prompts=prompts,
            more=less,
            limit=limit,
            listed=self.listed and "listed" not in gone,
            escaped=self.escaped and "escaped" not in gone,
        )

    def with_prompt(self, number: int) -> Row:
        """Ask for one prompt of the batch alone."""
        return replace(self, prompts=(self.prompts[number],), listed=False)

    def alone(self, trait: str) -> Row:
        """Ask for nothing but one trait, and what it cannot be without."""
        needed = {trait} | {"stream_options": {"stream"}, "best_of": {"n"}}.get(trait, set())
        if trait == "limit" and self.limit == 0:
            needed.add("echo")
        if trait in {"batch", "listed"}:
            needed.add("prompt")
        rest = self.without(*(name for name in self.traits if name not in needed))
        return rest if trait in PARTS[:2] or trait == "prompt" else replace(rest, prompts=(ASCII,))

    def smaller(self) -> Iterator[Row]:
        """Make the rows that lack something of this one, those that lack the most first."""
        settings = [name for name in self.more if name != "stream"]
        half = len(settings) // 2
        if half > 1:
            yield self.without(*settings)
            yield self.without(*settings[half:])
            yield self.without(*settings[:half])
        if len(self.prompts) > 1:
            for number in range(len(self.prompts)):
                yield self.with_prompt(number)
        for trait in self.traits:
            if trait != "batch":
                yield self.without(trait)

    @property
    def words(self) -> str:
        """The request in words, but for what every row has."""
        texts = [f"{name}: {shown(value)}" for name, value in self.more.items()]
        if self.limit != MAX_TOKENS:
            texts.append(f"max_tokens: {self.limit}")
        if self.escaped:
            texts.append("JSON with escapes")
        return ", ".join([f"prompt: {shown(self.body['prompt'], limit=80)}", *texts])


IDLE: Mapping[str, Any] = {
    "user": "reader-7",
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_p": 1,
    "logit_bias": {},
    "n": 1,
    "echo": False,
    "stream": False,
}
"""Values that change nothing, because they say what goes without saying."""
