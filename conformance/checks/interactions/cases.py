"""One generated request: prompts and settings, which can be removed one by one.

When nothing more can be removed, the rest is the smallest request that still shows a failure. That
request is reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from conformance.api import encode
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import MAX_TOKENS
from conformance.judgement import shown
from conformance.message import Message, say, verbatim
from conformance.protocol.request import CompletionRequest

Prompt = str | tuple[int, ...]
"""One prompt: text, or token ids."""

ASCII = COUNTING
"""The simplest prompt; any language model continues the count."""

PARTS = ("batch", "listed", "escaped", "limit", "prompt")
"""The traits of a test case that are no settings."""


@dataclass(frozen=True, eq=False)
class TestCase:
    """One greedy request.

    Attributes:
        prompts: one, or the prompts of a batch.
        settings: every other parameter, by its name in the request.
        max_tokens: the limit.
        listed: whether a single prompt is sent as an array of one.
        escaped: whether the JSON writes characters beyond ASCII as escapes.
    """

    __test__ = False  # pytest takes classes named Test* for tests

    prompts: tuple[Prompt, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: int = MAX_TOKENS
    listed: bool = False
    escaped: bool = False

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The request's JSON object without ``model``."""
        prompts = [list(p) if isinstance(p, tuple) else p for p in self.prompts]
        prompt = prompts if self.listed or len(prompts) > 1 else prompts[0]
        return {"prompt": prompt, "max_tokens": self.max_tokens, "temperature": 0, **self.settings}

    @cached_property
    def request(self) -> CompletionRequest:
        """The request as an endpoint has to interpret it."""
        return CompletionRequest(self.body)

    @property
    def suffix(self) -> str | None:
        """The text after the completion."""
        return self.settings.get("suffix")

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits that can be removed: names of settings, and of :data:`PARTS`."""
        has = {
            "batch": len(self.prompts) > 1,
            "listed": self.listed and len(self.prompts) == 1,
            "escaped": self.escaped,
            "limit": self.max_tokens != MAX_TOKENS,
            "prompt": len(self.prompts) == 1 and self.prompts[0] != ASCII,
        }
        return (*self.settings, *(part for part in PARTS if has[part]))

    @property
    def only_setting(self) -> str | None:
        """The setting, if there is one alone for one prompt, or beside a stop; None otherwise.

        How a prompt is written is its own setting. A stream is none of the answer, but the way that
        it comes; its options are one, which only a stream has.
        """
        beside = {"prompt", "stop", *(("stream",) if "stream_options" in self.settings else ())}
        rest = [trait for trait in self.traits if trait not in beside]
        name = rest[0] if len(rest) == 1 else "stream"
        if name in {"listed", "escaped"}:
            return "prompt"
        return name if name in self.settings and name != "stream" else None

    def encoded(self, model: str) -> bytes:
        """Return the body as it is sent."""
        named = {"model": model, **self.body}
        if self.escaped:
            return json.dumps(named, separators=(",", ":")).encode()
        return encode(named)

    def without(self, *names: str) -> TestCase:
        """Remove traits, and the traits that need them."""
        gone = set(names)
        if "stream" in gone:
            gone.add("stream_options")
        if "n" in gone:
            gone.add("best_of")
        less = {name: value for name, value in self.settings.items() if name not in gone}
        max_tokens = MAX_TOKENS if "limit" in gone else self.max_tokens
        if max_tokens == 0 and not less.get("echo"):
            max_tokens = 1
        prompts = self.prompts[:1] if "batch" in gone else self.prompts
        if "prompt" in gone:
            prompts = (ASCII,)
        return replace(
            self,
            prompts=prompts,
            settings=less,
            max_tokens=max_tokens,
            listed=self.listed and "listed" not in gone,
            escaped=self.escaped and "escaped" not in gone,
        )

    def with_prompt(self, number: int) -> TestCase:
        """Return the case with one prompt of the batch alone."""
        return replace(self, prompts=(self.prompts[number],), listed=False)

    def alone(self, trait: str) -> TestCase:
        """Return the case with one trait alone, and the traits that it needs."""
        needed = {trait} | {"stream_options": {"stream"}, "best_of": {"n"}}.get(trait, set())
        if trait == "limit" and self.max_tokens == 0:
            needed.add("echo")
        if trait in {"batch", "listed"}:
            needed.add("prompt")
        rest = self.without(*(name for name in self.traits if name not in needed))
        return rest if trait in PARTS[:2] or trait == "prompt" else replace(rest, prompts=(ASCII,))

    def smaller(self) -> Iterator[TestCase]:
        """Yield cases that lack traits of this one, those that lack the most first."""
        settings = [name for name in self.settings if name != "stream"]
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
    def description(self) -> Message:
        """The request for a reader, without what every test case has."""
        texts = [f"{name}: {shown(value)}" for name, value in self.settings.items()]
        if self.max_tokens != MAX_TOKENS:
            texts.append(f"max_tokens: {self.max_tokens}")
        described = verbatim(", ".join([f"prompt: {shown(self.body['prompt'], limit=80)}", *texts]))
        return say("{request}, JSON with escapes", request=described) if self.escaped else described


def has_empty_stop(case: TestCase) -> bool:
    """Return whether a case sends a stop sequence that is empty, which only a should is about."""
    return not has_no_empty_stop(case)


def has_no_empty_stop(case: TestCase) -> bool:
    """Return whether every value of a case is one that a must is about."""
    return bool(case.settings.get("stop") != "")
