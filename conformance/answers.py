"""What an endpoint answered, as a check reads it: pure views over an exchange.

A plain answer and a stream come out as the same :class:`Completion`, so that one judgement serves
both. Every accessor that finds something missing raises :class:`~conformance.judgement.Deviation`
with the name of what is missing; nothing here raises a KeyError at an endpoint's bidding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.judgement import Deviation, Inconclusive, Refusal, shown
from conformance.model import Effect, Exchange
from conformance.wire.sse import Event, EventStream, parse_events

JsonObject = Mapping[str, Any]

DONE = "[DONE]"
"""The payload of a stream's last event."""

REFUSALS = frozenset({400, 404, 405, 409, 413, 415, 422})
"""Statuses by which an endpoint can decline a request as such."""

KEY_TROUBLE = frozenset({401, 402, 403})
"""Statuses that speak of the key or the account, not of the request."""


@dataclass(frozen=True)
class Logprobs:
    """The four parallel arrays of one choice; each is checked for being a list when asked for."""

    raw: JsonObject
    where: str

    def _array(self, key: str) -> list[Any]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise Deviation(f"{self.where}.{key} an array", f"{self.where}.{key} = {shown(value)}")
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
            raise Deviation(f"{self.where}.text a string", f"{self.where} = {shown(self.raw)}")
        return value

    @property
    def index(self) -> int:
        """The position that the choice says it has."""
        value = self.raw.get("index")
        if not isinstance(value, int) or isinstance(value, bool):
            raise Deviation(f"{self.where}.index an integer", f"index = {shown(value)}")
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
        """The logprobs; a deviation (ignored) where none came."""
        value = self.raw.get("logprobs")
        if not isinstance(value, Mapping):
            raise Deviation(
                f"{self.where}.logprobs an object",
                f"{self.where}.logprobs = {shown(value)}",
                effect=Effect.IGNORED,
            )
        return Logprobs(value, f"{self.where}.logprobs")


@dataclass(frozen=True)
class Usage:
    """The bill: three counts of tokens."""

    raw: JsonObject

    def _count(self, key: str) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Deviation(f"usage.{key} an integer ≥ 0", f"usage.{key} = {shown(value)}")
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
            raise Deviation("choices a non-empty array of objects", f"choices = {shown(value)}")
        choices = [Choice(raw, f"choices[{i}]") for i, raw in enumerate(value)]
        return tuple(sorted(choices, key=lambda choice: _order(choice.raw)))

    @property
    def only(self) -> Choice:
        """The one choice of a request for one."""
        if len(self.choices) != 1:
            raise Deviation("exactly one choice", f"{len(self.choices)} choices")
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
            raise Deviation("a usage object", f"usage = {shown(value)}")
        return Usage(value)


@dataclass(frozen=True)
class ErrorAnswer:
    """An error as the endpoint told it."""

    status: int
    raw: object

    @property
    def error(self) -> JsonObject:
        """The inner object of the envelope; a deviation where there is none."""
        inner = self.raw.get("error") if isinstance(self.raw, Mapping) else None
        if not isinstance(inner, Mapping):
            raise Deviation('an error envelope {"error": {…}}', shown(self.raw))
        return inner

    @property
    def message(self) -> str:
        """The sentence for a person; a deviation where there is none."""
        value = self.error.get("message")
        if not isinstance(value, str) or not value:
            raise Deviation("error.message a sentence", f"error.message = {shown(value)}")
        return value

    @property
    def param(self) -> object:
        """The parameter at fault, or None."""
        return self.error.get("param")

    @property
    def code(self) -> object:
        """The machine's word for the error, or None."""
        return self.error.get("code")

    @property
    def type(self) -> object:
        """The error's class, such as ``invalid_request_error``."""
        return self.error.get("type")


@dataclass(frozen=True)
class Reply:
    """What came back to one request, not yet judged. ``features``: the parameters it used."""

    exchange: Exchange
    features: frozenset[str] = frozenset()

    @property
    def status(self) -> int:
        """The status; inconclusive where no answer came."""
        if self.exchange.status is None:
            raise Inconclusive(f"no answer: {self.exchange.fault}")
        return self.exchange.status

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty where none was sent."""
        return (self.exchange.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def stream(self) -> EventStream:
        """The body read as server-sent events."""
        return parse_events(self.exchange.body, self.exchange.arrivals)

    @property
    def events(self) -> tuple[Event, ...]:
        """The stream's events, ``[DONE]`` among them."""
        return self.stream.events

    @cached_property
    def json(self) -> object:
        """The body as strict JSON; a deviation where it is none, NaN and Infinity included."""
        return _strict_json(self.exchange.body.decode("utf-8", errors="replace"), "the body")

    @property
    def is_stream(self) -> bool:
        """Tell whether the answer is a stream, by its content type or by how its body starts."""
        start = self.exchange.body[:64].lstrip()
        return self.content_type == "text/event-stream" or start.startswith((b"data:", b":"))

    def expect_answered(self) -> int:
        """Return a status that says something of the request.

        Raises:
            Inconclusive: 408, 425, 429, 5xx, trouble with the key or the account, or no answer.
        """
        status = self.status
        if status in KEY_TROUBLE:
            raise Inconclusive(f"the key was refused with {status}: {self._brief()}")
        if status in {408, 425, 429} or status >= 500:
            raise Inconclusive(f"answered {status}: {self._brief()}")
        return status

    def expect_ok(self) -> Completion:
        """Return the completion of a request that is right and must be served.

        Raises:
            Refusal: a 4xx; whether it breaks a promise is for the runner to say, and whether its
                body is the error envelope for the checks of errors.
            Inconclusive: 429, 5xx, or no answer.
            Deviation: anything else.
        """
        status = self.expect_answered()
        if status in REFUSALS:
            raise Refusal(status, self._why_refused(), self.features, self.exchange.request)
        if status != 200:
            raise Deviation("status 200", f"status {status}: {self._brief()}")
        if self.exchange.fault is not None:
            raise Inconclusive(f"the answer broke off: {self.exchange.fault}")
        if self.is_stream:
            return self._joined()
        answer = self.json
        if not isinstance(answer, Mapping):
            raise Deviation("a JSON object", shown(answer))
        if "error" in answer and "choices" not in answer:
            raise Deviation("a completion under status 200", f"an error body: {shown(answer)}")
        return Completion(self.exchange, answer)

    def expect_error(self, *statuses: int) -> ErrorAnswer:
        """Return the error of a request that must be declined with one of ``statuses``.

        An endpoint that serves it ignores what is wrong with it: a deviation with that effect.
        A 5xx that persisted through the retries is a deviation too: bad input must not break a
        server.

        Raises:
            Inconclusive: 429 or no answer, which say nothing of the request.
            Deviation: anything else.
        """
        status = self.status
        wanted = " or ".join(str(s) for s in statuses)
        if status in statuses:
            return ErrorAnswer(status, self._error_json())
        if status in {408, 425, 429, 502, 503, 504} or (
            status in KEY_TROUBLE and not set(statuses) & KEY_TROUBLE
        ):
            raise Inconclusive(f"answered {status}: {self._brief()}")
        effect = Effect.IGNORED if status < 300 else Effect.ALTERED
        raise Deviation(f"status {wanted}", f"status {status}: {self._brief()}", effect=effect)

    def _why_refused(self) -> str:
        """Return the endpoint's own sentence; where it belongs is for the checks of errors."""
        try:
            answer = self.json
        except Deviation:
            return self._brief()
        inner = answer.get("error", answer) if isinstance(answer, Mapping) else answer
        message = inner.get("message") if isinstance(inner, Mapping) else None
        return message if isinstance(message, str) and message else self._brief()

    def _error_json(self) -> object:
        try:
            return self.json
        except Deviation:
            raise Deviation("an error envelope in JSON", self._brief()) from None

    def _brief(self) -> str:
        text = self.exchange.body[:400].decode("utf-8", errors="replace").strip()
        return text if len(text) <= 160 else f"{text[:159]}…"

    @cached_property
    def chunk_objects(self) -> tuple[JsonObject, ...]:
        """The JSON object of every event but ``[DONE]``, in order of arrival."""
        chunks: list[JsonObject] = []
        for event in self.events:
            if event.data.strip() == DONE:
                continue
            chunk = _strict_json(event.data, "a stream event")
            if not isinstance(chunk, Mapping):
                raise Deviation("a JSON object in each event", shown(chunk))
            if "error" in chunk and "choices" not in chunk:
                raise Deviation("chunks of a completion", f"an error event: {shown(chunk)}")
            chunks.append(chunk)
        return tuple(chunks)

    def _joined(self) -> Completion:
        chunks = self.chunk_objects
        if not chunks:
            raise Deviation("a stream with chunks", f"no chunk in: {self._brief()}")
        return Completion(self.exchange, join_chunks(chunks), chunks)


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
            raise Deviation("choices an array in every chunk", shown(chunk))
        for part in parts:
            if not isinstance(part, Mapping):
                raise Deviation("choices of objects", shown(part))
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


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _strict_json(text: str, what: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        brief = text.strip()[:120]
        raise Deviation(f"{what} in JSON", f"{error}: {brief!r}") from None
