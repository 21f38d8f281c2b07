"""A completion as a check reads it: pure views over an answer's JSON.

A plain answer and a stream come out as the same :class:`Completion`, so that one judgement serves
both. Every accessor that finds something missing raises :class:`~conformance.judgement.Failure`
with the name of what is missing; nothing here raises a KeyError at an endpoint's bidding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.judgement import Failure, Feature, Missing, NotApplicable, shown
from conformance.model import Effect, Exchange

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class Logprobs:
    """The four parallel arrays of one choice; each is checked for being a list when asked for."""

    raw: JsonObject
    where: str

    def _array(self, key: str) -> list[Any]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise Missing(
                Feature.ARRAYS,
                f"{self.where}.{key} an array",
                f"{self.where}.{key} = {shown(value)}",
                effect=Effect.ALTERED,
            )
        return value

    @property
    def tokens(self) -> list[Any]:
        r"""The tokens as text, or as ``bytes:\xe2`` where one is no whole character."""
        return self._array("tokens")

    @property
    def token_logprobs(self) -> list[Any]:
        """The natural logarithm of each token's probability; None for an echoed first token."""
        return self._array("token_logprobs")

    @property
    def top_logprobs(self) -> list[Any]:
        """For each position a map from token to logprob, or None."""
        return self._array("top_logprobs")

    @property
    def text_offset(self) -> list[Any]:
        """For each token the offset of its first character."""
        return self._array("text_offset")


@dataclass(frozen=True)
class Choice:
    """One choice of a plain answer, or of a stream after its chunks were joined."""

    raw: JsonObject
    where: str

    @property
    def text(self) -> str:
        """The text; a choice without one is a deviation."""
        value = self.raw.get("text")
        if not isinstance(value, str):
            raise Missing(
                Feature.TEXT,
                f"{self.where}.text a string",
                f"{self.where} = {shown(self.raw)}",
                effect=Effect.ALTERED,
            )
        return value

    @property
    def index(self) -> int:
        """The position that the choice says it has."""
        value = self.raw.get("index")
        if not isinstance(value, int) or isinstance(value, bool):
            raise Failure(f"{self.where}.index an integer", f"index = {shown(value)}")
        return value

    @property
    def finish_reason(self) -> object:
        """Why the choice ended, as sent."""
        return self.raw.get("finish_reason")

    @property
    def has_logprobs(self) -> bool:
        """Tell whether a logprobs object came with the choice."""
        return isinstance(self.raw.get("logprobs"), Mapping)

    @property
    def logprobs(self) -> Logprobs:
        """The logprobs; a deviation (ignored) where none came with a text.

        Where nothing was generated there is nothing to score.
        """
        value = self.raw.get("logprobs")
        if value is None and self.raw.get("text") == "":
            raise NotApplicable(f"{self.where} has no text, and so no log probabilities")
        if not isinstance(value, Mapping):
            raise Missing(
                Feature.LOGPROBS,
                f"{self.where}.logprobs an object",
                f"{self.where}.logprobs = {shown(value)}",
            )
        return Logprobs(value, f"{self.where}.logprobs")


@dataclass(frozen=True)
class Usage:
    """The bill: three counts of tokens."""

    raw: JsonObject

    def _count(self, key: str) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Missing(
                Feature.USAGE,
                f"usage.{key} an integer ≥ 0",
                f"usage.{key} = {shown(value)}",
                effect=Effect.ALTERED,
            )
        return value

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompts, each prompt once."""
        return self._count("prompt_tokens")

    @property
    def completion_tokens(self) -> int:
        """Tokens generated, over all choices."""
        # Servers leave the key out when nothing was generated; that is still a count of none.
        return self._count("completion_tokens") if "completion_tokens" in self.raw else 0

    @property
    def total_tokens(self) -> int:
        """The sum as the endpoint states it."""
        return self._count("total_tokens")


@dataclass(frozen=True)
class Completion:
    """A completion, plain or joined from its chunks.

    ``raw`` is the answer's JSON object; for a stream it is rebuilt from the chunks in the same
    shape, with the choices in the order of their index.
    """

    exchange: Exchange
    raw: JsonObject
    chunks: tuple[JsonObject, ...] = ()

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The choices by rising index; at least one, or it is a deviation."""
        value = self.raw.get("choices")
        if not isinstance(value, list) or not value or not all(isinstance(c, dict) for c in value):
            raise Missing(
                Feature.CHOICES,
                "choices a non-empty array of objects",
                f"choices = {shown(value)}",
                effect=Effect.ALTERED,
            )
        choices = [Choice(raw, f"choices[{i}]") for i, raw in enumerate(value)]
        return tuple(sorted(choices, key=lambda choice: _order(choice.raw)))

    @property
    def only(self) -> Choice:
        """The one choice of a request for one."""
        if len(self.choices) != 1:
            raise Missing(
                Feature.CHOICES,
                "exactly one choice",
                f"{len(self.choices)} choices",
                effect=Effect.ALTERED,
            )
        return self.choices[0]

    @property
    def text(self) -> str:
        """The text of the one choice."""
        return self.only.text

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all choices by rising index."""
        return tuple(choice.text for choice in self.choices)

    @property
    def has_usage(self) -> bool:
        """Tell whether a usage object came."""
        return isinstance(self.raw.get("usage"), Mapping)

    @property
    def usage(self) -> Usage:
        """The bill; a deviation where none came."""
        value = self.raw.get("usage")
        if not isinstance(value, Mapping):
            thing = Feature.STREAM_USAGE if self.chunks else Feature.USAGE
            raise Missing(thing, "a usage object", f"usage = {shown(value)}", effect=Effect.ALTERED)
        return Usage(value)


def join_chunks(chunks: tuple[JsonObject, ...]) -> JsonObject:
    """Join a stream's chunks into the shape of the plain answer.

    Texts and logprobs arrays are concatenated per choice, a finish reason is the last one sent, and
    usage is that of the last chunk that has one. Envelope fields are the first chunk's.
    """
    choices: dict[Any, dict[str, Any]] = {}
    usage: object = None
    for chunk in chunks:
        if isinstance(chunk.get("usage"), Mapping):
            usage = chunk["usage"]
        parts = chunk.get("choices")
        if not isinstance(parts, list):
            raise Missing(Feature.CHUNKS, "choices an array in every chunk", shown(chunk))
        for part in parts:
            if not isinstance(part, Mapping):
                raise Failure("choices of objects", shown(part))
            _join_choice(choices, part)
    envelope = {key: value for key, value in chunks[0].items() if key != "choices"}
    ordered = sorted(choices.values(), key=_order)
    return {**envelope, "choices": ordered, "usage": usage}


def _join_choice(choices: dict[Any, dict[str, Any]], part: JsonObject) -> None:
    index = part.get("index")
    key = index if isinstance(index, int) else shown(index)
    whole = choices.setdefault(key, {"index": index, "logprobs": None, "finish_reason": None})
    text = part.get("text")
    if isinstance(text, str):
        whole["text"] = whole.get("text", "") + text
    if part.get("finish_reason") is not None:
        whole["finish_reason"] = part["finish_reason"]
    logprobs = part.get("logprobs")
    if isinstance(logprobs, Mapping):
        joined = whole["logprobs"] or {}
        for name, values in logprobs.items():
            before = joined.get(name, [])
            both = isinstance(values, list) and isinstance(before, list)
            joined[name] = [*before, *values] if both else values
        whole["logprobs"] = joined


def _order(raw: JsonObject) -> tuple[int, int]:
    """Sort by index, and what has no usable index after what has."""
    index = raw.get("index")
    return (0, index) if isinstance(index, int) else (1, 0)
