"""A completion as checks read it: pure views over the JSON of a response.

A non-streaming response and a stream both become a :class:`Completion`, so that one assertion
covers both. An accessor raises :class:`~conformance.judgement.Failure` if the endpoint did not send
the value or sent a wrong type, and never KeyError or TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.judgement import Failure, Feature, Missing, NotApplicable, shown
from conformance.message import Message, say
from conformance.model import Effect, Exchange, Place

JsonObject = Mapping[str, Any]

MAX_CHOICES = 1_024
"""Choices of a response that are read; no request asks for as many."""


@dataclass(frozen=True)
class Logprobs:
    """The four parallel arrays of one choice.

    Every property raises :class:`~conformance.judgement.Missing` unless the value is an array. The
    elements are not validated.
    """

    raw: JsonObject
    where: str

    def _array(self, key: str) -> list[Any]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise Missing(
                Feature.ARRAYS,
                say("{where}.{key} an array", where=self.where, key=key),
                _seen(self.raw, self.where, key),
                effect=Effect.ALTERED,
            )
        return value

    @property
    def tokens(self) -> list[Any]:
        r"""The tokens as text; a token that is not valid UTF-8 as ``bytes:\xe2``."""
        return self._array("tokens")

    @property
    def token_logprobs(self) -> list[Any]:
        """Each token's log probability in nats; None for the first token of an echoed prompt."""
        return self._array("token_logprobs")

    @property
    def top_logprobs(self) -> list[Any]:
        """For each token a map from alternative tokens to log probabilities in nats, or None."""
        return self._array("top_logprobs")

    @property
    def text_offset(self) -> list[Any]:
        """For each token the offset of its first character, in characters."""
        return self._array("text_offset")


@dataclass(frozen=True)
class Choice:
    """One choice of a non-streaming response, or of a stream's joined chunks.

    ``where`` is its path in messages, such as ``choices[0]``; ``exchange`` is the one that it was
    received in, if it was.
    """

    raw: JsonObject
    where: str
    exchange: Exchange | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The text.

        Raises:
            Missing: it is not a string.
        """
        value = self.raw.get("text")
        if not isinstance(value, str):
            raise Missing(
                Feature.TEXT,
                say("{where}.text a string", where=self.where),
                say("{name} = {value}", name=self.where, value=shown(self.raw)),
                effect=Effect.ALTERED,
            )
        return value

    @property
    def index(self) -> int:
        """The index as sent.

        Raises:
            Failure: it is not an integer.
        """
        value = self.raw.get("index")
        if not isinstance(value, int) or isinstance(value, bool):
            raise Failure(
                say("{where}.index an integer", where=self.where),
                say("{where}.{key} = {value}", where=self.where, key="index", value=shown(value)),
                place=Place.INDEX,
            )
        return value

    @property
    def finish_reason(self) -> object:
        """The finish reason as sent, of any type."""
        return self.raw.get("finish_reason")

    @property
    def has_logprobs(self) -> bool:
        """Whether the choice has a logprobs object."""
        return isinstance(self.raw.get("logprobs"), Mapping)

    @property
    def logprobs(self) -> Logprobs:
        """The log probabilities.

        Raises:
            NotApplicable: they are null, and the text is empty, so that there is nothing to score.
            Missing: the choice has text and no logprobs object.
        """
        value = self.raw.get("logprobs")
        if value is None and self.raw.get("text") == "":
            raise NotApplicable(
                say("{choice} has no text, and so no log probabilities", choice=self.where)
            )
        if not isinstance(value, Mapping):
            raise Missing(
                Feature.LOGPROBS,
                say("{where}.logprobs an object", where=self.where),
                say("{where}.logprobs = {value}", where=self.where, value=shown(value)),
            )
        return Logprobs(value, f"{self.where}.logprobs")


@dataclass(frozen=True)
class Usage:
    """The token counts of a response.

    Every property raises :class:`~conformance.judgement.Missing` unless the value is an integer of
    at least 0.
    """

    raw: JsonObject

    def _count(self, key: str) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Missing(
                Feature.USAGE,
                say("usage.{key} an integer ≥ 0", key=key),
                _seen(self.raw, "usage", key),
                effect=Effect.ALTERED,
            )
        return value

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts, each counted once."""
        return self._count("prompt_tokens")

    @property
    def completion_tokens(self) -> int:
        """Tokens generated, over all choices; 0 if the key is missing."""
        # Servers omit the key when they generated nothing.
        return self._count("completion_tokens") if "completion_tokens" in self.raw else 0

    @property
    def total_tokens(self) -> int:
        """The total as the endpoint reports it."""
        return self._count("total_tokens")


@dataclass(frozen=True)
class Completion:
    """A completion: a non-streaming response, or the joined chunks of a stream.

    Attributes:
        exchange: the exchange that it was received in.
        raw: the response's JSON object; for a stream, the object that :func:`join_chunks` makes.
        chunks: the JSON objects of a stream in order; empty for a non-streaming response.
    """

    exchange: Exchange
    raw: JsonObject
    chunks: tuple[JsonObject, ...] = ()

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The choices, sorted by index.

        Raises:
            Missing: ``choices`` is not a non-empty array of objects, or has more than
                :data:`MAX_CHOICES`.
        """
        value = self.raw.get("choices")
        if isinstance(value, list) and len(value) > MAX_CHOICES:
            raise Missing(
                Feature.CHOICES,
                say("at most {most} choices", most=f"{MAX_CHOICES:,}"),
                say("{count} choices", count=len(value)),
                effect=Effect.ALTERED,
            )
        if not isinstance(value, list) or not value or not all(isinstance(c, dict) for c in value):
            raise Missing(
                Feature.CHOICES,
                say("choices a non-empty array of objects"),
                say("choices = {value}", value=shown(value)),
                effect=Effect.ALTERED,
            )
        choices = [Choice(raw, f"choices[{i}]", self.exchange) for i, raw in enumerate(value)]
        return tuple(sorted(choices, key=lambda choice: _order(choice.raw)))

    @property
    def only(self) -> Choice:
        """The choice of a response that must have exactly one.

        Raises:
            Missing: there is no choice, or more than one.
        """
        if len(self.choices) != 1:
            raise Missing(
                Feature.CHOICES,
                say("exactly one choice"),
                say("{count} choices", count=len(self.choices)),
                effect=Effect.ALTERED,
            )
        return self.choices[0]

    @property
    def text(self) -> str:
        """The text of :attr:`only`."""
        return self.only.text

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all choices, sorted by index."""
        return tuple(choice.text for choice in self.choices)

    @property
    def has_usage(self) -> bool:
        """Whether there is a usage object."""
        return isinstance(self.raw.get("usage"), Mapping)

    @property
    def usage(self) -> Usage:
        """The token counts.

        Raises:
            Missing: there is no usage object.
        """
        value = self.raw.get("usage")
        if not isinstance(value, Mapping):
            thing = Feature.STREAM_USAGE if self.chunks else Feature.USAGE
            raise Missing(
                thing,
                say("a usage object"),
                say("usage = {value}", value=shown(value)),
                effect=Effect.ALTERED,
            )
        return Usage(value)


def join_chunks(chunks: tuple[JsonObject, ...]) -> JsonObject:
    """Join a stream's chunks into one object in the shape of a non-streaming response.

    Texts and logprobs arrays are concatenated per choice. The finish reason is the last one sent,
    usage is from the last chunk that has it, and each envelope field from the first that has it.

    Args:
        chunks: the JSON objects of the stream, at least one.

    Raises:
        Missing: a chunk has no array of choices.
        Failure: a choice is not an object.
    """
    choices: dict[Any, _Joined] = {}
    usage: object = None
    envelope: dict[str, Any] = {}
    for chunk in chunks:
        envelope = {**chunk, **envelope} if chunk.keys() - envelope.keys() else envelope
        if isinstance(chunk.get("usage"), Mapping):
            usage = chunk["usage"]
        parts = chunk.get("choices")
        if not isinstance(parts, list):
            raise Missing(Feature.CHUNKS, say("choices an array in every chunk"), shown(chunk))
        for part in parts:
            if not isinstance(part, Mapping):
                raise Failure(say("choices of objects"), shown(part), place=Place.CHOICES)
            _join_choice(choices, part)
    ordered = sorted((choice.whole for choice in choices.values()), key=_order)
    return {**envelope, "choices": ordered, "usage": usage}


def _join_choice(choices: dict[Any, _Joined], part: JsonObject) -> None:
    index = part.get("index")
    key = index if isinstance(index, int) else shown(index)
    choices.setdefault(key, _Joined(index)).add(part)


class _Joined:
    """The parts of one choice so far, kept apart until the end: joining each is quadratic."""

    def __init__(self, index: object) -> None:
        self._index = index
        self._texts: list[str] = []
        self._finish_reason: object = None
        self._logprobs: dict[str, Any] | None = None

    def add(self, part: JsonObject) -> None:
        """Add the next part."""
        text, logprobs = part.get("text"), part.get("logprobs")
        if isinstance(text, str):
            self._texts.append(text)
        if part.get("finish_reason") is not None:
            self._finish_reason = part["finish_reason"]
        if isinstance(logprobs, Mapping):
            self._logprobs = joined = self._logprobs or {}
            for name, values in logprobs.items():
                before = joined.setdefault(name, [])
                if isinstance(values, list) and isinstance(before, list):
                    before.extend(values)
                else:
                    # A copy, because it is extended, and the chunk has to stay as it was sent.
                    joined[name] = list(values) if isinstance(values, list) else values

    @property
    def whole(self) -> dict[str, Any]:
        """The choice in the shape of a non-streaming one; without ``text`` if no part has any."""
        return {
            "index": self._index,
            "logprobs": self._logprobs,
            "finish_reason": self._finish_reason,
            **({"text": "".join(self._texts)} if self._texts else {}),
        }


def _order(raw: JsonObject) -> tuple[int, int]:
    """Sort by index; choices without an integer index come last."""
    index = raw.get("index")
    return (0, index) if isinstance(index, int) else (1, 0)


def _seen(raw: JsonObject, where: str, key: str) -> Message:
    """Describe a member that has a wrong value; one that is missing is not the same as a null."""
    if key not in raw:
        return say("{path}: {member} is a required property", path=where, member=repr(key))
    return say("{where}.{key} = {value}", where=where, key=key, value=shown(raw[key]))
