"""What came back to one request, before it is judged: pure views over an exchange.

:meth:`Response.expect_ok` and :meth:`Response.expect_error` are where an answer becomes a
completion or an error, and where whatever is neither of them becomes a judgement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.judgement import Failure, Feature, Inconclusive, Missing, Refusal, shown
from conformance.model import Exchange
from conformance.protocol.completion import Completion, JsonObject, join_chunks
from conformance.protocol.sse import Event, EventStream, parse_events

DONE = "[DONE]"
"""The payload of a stream's last event."""

REFUSALS = frozenset({400, 404, 405, 409, 413, 415, 422})
"""Statuses by which an endpoint can decline a request as such."""

KEY_TROUBLE = frozenset({401, 402, 403})
"""Statuses that speak of the key or the account, not of the request."""


@dataclass(frozen=True)
class ErrorResponse:
    """An error as the endpoint told it."""

    status: int
    raw: object

    @property
    def error(self) -> JsonObject:
        """The inner object of the envelope; a deviation where there is none."""
        inner = self.raw.get("error") if isinstance(self.raw, Mapping) else None
        if not isinstance(inner, Mapping):
            raise Failure('an error envelope {"error": {…}}', shown(self.raw))
        return inner

    @property
    def message(self) -> str:
        """The sentence for a person; a deviation where there is none."""
        value = self.error.get("message")
        if not isinstance(value, str) or not value:
            raise Failure("error.message a sentence", f"error.message = {shown(value)}")
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
class Response:
    """What came back to one request, not yet judged. ``features``: the parameters it used."""

    exchange: Exchange
    features: frozenset[str] = frozenset()

    @property
    def status(self) -> int:
        """The status; inconclusive where no answer came."""
        if self.exchange.status is None:
            raise Inconclusive(f"no response: {self.exchange.fault}")
        return self.exchange.status

    @cached_property
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
        try:
            return strict_json(self.exchange.body.decode("utf-8", errors="replace"), "the body")
        except Failure as broken:
            raise Missing(Feature.JSON, broken.expected, broken.seen) from None

    @cached_property
    def payloads(self) -> tuple[tuple[str, object], ...]:
        """The data of each event but ``[DONE]``, with the JSON in it or the Failure to read any."""
        data = (event.data for event in self.events)
        return tuple((one, _read_event(one)) for one in data if one.strip() != DONE)

    @cached_property
    def is_stream(self) -> bool:
        """Tell whether the answer is a stream, by its content type or by how its body starts."""
        start = self.exchange.body[:64].lstrip()
        return self.content_type == "text/event-stream" or start.startswith((b"data:", b":"))

    def expect_response(self) -> int:
        """Return a status that says something of the request.

        Raises:
            Inconclusive: 408, 425, 429, 5xx, trouble with the key or the account, or no answer.
        """
        status = self.status
        if status in KEY_TROUBLE:
            raise Inconclusive(f"the key was rejected with {status}: {self._brief()}")
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
        status = self.expect_response()
        if status in REFUSALS:
            raise Refusal(status, self._why_refused(), self.features, self.exchange.request)
        if status != 200:
            raise Failure("status 200", f"status {status}: {self._brief()}")
        if self.exchange.fault is not None:
            raise Inconclusive(f"the response is incomplete: {self.exchange.fault}")
        if self.is_stream:
            return self._joined
        return self._completion

    def expect_error(self, *statuses: int) -> ErrorResponse:
        """Return the error of a request that must be declined with one of ``statuses``.

        Serving it breaks what was promised of a parameter's limits; it does not show that the
        parameter has no effect. A 5xx that persisted through the retries is a deviation too: bad
        input must not break a server.

        Raises:
            Inconclusive: 429 or no answer, which say nothing of the request.
            Deviation: anything else.
        """
        status = self.status
        wanted = " or ".join(str(s) for s in statuses)
        if status in statuses:
            return ErrorResponse(status, self._error_json())
        if status in {408, 425, 429, 502, 503, 504} or (
            status in KEY_TROUBLE and not set(statuses) & KEY_TROUBLE
        ):
            raise Inconclusive(f"answered {status}: {self._brief()}")
        raise Failure(f"status {wanted}", f"status {status}: {self._brief()}")

    def _why_refused(self) -> str:
        """Return the endpoint's own sentence; where it belongs is for the checks of errors."""
        try:
            response = self.json
        except Failure:
            return self._brief()
        inner = response.get("error", response) if isinstance(response, Mapping) else response
        message = inner.get("message") if isinstance(inner, Mapping) else None
        return message if isinstance(message, str) and message else self._brief()

    def _error_json(self) -> object:
        try:
            return self.json
        except Failure:
            if self.exchange.fault is not None:
                raise Inconclusive(f"the response is incomplete: {self.exchange.fault}") from None
            seen = self._brief() or "an empty body"
            raise Failure("an error envelope in JSON", seen) from None

    def _brief(self) -> str:
        text = self.exchange.body[:400].decode("utf-8", errors="replace").strip()
        return text if len(text) <= 160 else f"{text[:159]}…"

    @cached_property
    def chunk_objects(self) -> tuple[JsonObject, ...]:
        """The JSON object of every event but ``[DONE]``, in order of arrival."""
        chunks: list[JsonObject] = []
        for _, chunk in self.payloads:
            if isinstance(chunk, Failure):
                raise Missing(Feature.CHUNKS, chunk.expected, chunk.seen)
            if not isinstance(chunk, Mapping):
                raise Missing(Feature.CHUNKS, "a JSON object in each event", shown(chunk))
            if "error" in chunk and "choices" not in chunk:
                raise Inconclusive(f"the stream ended with an error: {shown(chunk)}")
            chunks.append(chunk)
        return tuple(chunks)

    @cached_property
    def _completion(self) -> Completion:
        response = self.json
        if not isinstance(response, Mapping):
            raise Failure("a JSON object", shown(response))
        if "error" in response and "choices" not in response:
            raise Failure("a completion under status 200", f"an error body: {shown(response)}")
        return Completion(self.exchange, response)

    @cached_property
    def _joined(self) -> Completion:
        chunks = self.chunk_objects
        if not chunks:
            raise Missing(Feature.CHUNKS, "a stream with chunks", f"no chunk in: {self._brief()}")
        return Completion(self.exchange, join_chunks(chunks), chunks)


def _read_event(data: str) -> object:
    try:
        return strict_json(data, "a stream event")
    except Failure as broken:
        # The traceback would keep this frame alive.
        return broken.with_traceback(None)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def strict_json(text: str, what: str) -> object:
    """Read JSON; NaN and Infinity are none.

    Raises:
        Deviation: it is no JSON, where ``what`` had to be.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        brief = text.strip()[:120]
        raise Failure(f"{what} in JSON", f"{error}: {brief!r}") from None
