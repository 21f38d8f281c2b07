"""The response to one request: pure views over an exchange.

:meth:`Response.expect_ok` returns a completion and :meth:`Response.expect_error` an error; both
raise a judgement for anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from conformance.judgement import Failure, Feature, Inconclusive, Missing, Refusal, either, shown
from conformance.message import Message, say
from conformance.model import Credentials, Exchange, Place
from conformance.protocol.completion import Completion, JsonObject, join_chunks
from conformance.protocol.error_response import KEY_STATUSES, ErrorResponse
from conformance.protocol.sse import Event, EventStream, parse_events
from conformance.protocol.strict_json import Excess, excess_of, parsed_size, strict_json

EXCESS_READ = 2_048
"""Bytes that are parsed of a stream that has an excess of values."""

DONE = "[DONE]"
"""The payload of a stream's last event."""

REFUSALS = frozenset({400, 404, 405, 409, 413, 415, 422})
"""Statuses with which an endpoint rejects the request itself."""

UNREADABLE = ("cannot decode ", "response too large: ")
"""How the faults begin of whole responses whose body cannot be read; others were cut off."""

TRANSIENT_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of a temporary condition, also in response to an invalid request."""


@dataclass(frozen=True)
class Response:
    """The response to one request.

    Attributes:
        exchange: the exchange that it was received in.
        features: the parameters that the request used.
        parsing: is called before the body is parsed, so that its memory can be counted.
        has_flat_errors: whether the document shows errors without an envelope.
    """

    exchange: Exchange
    features: frozenset[str] = frozenset()
    parsing: Callable[[Response], None] | None = field(default=None, repr=False, compare=False)
    has_flat_errors: bool = field(default=False, repr=False, compare=False)

    @property
    def status(self) -> int:
        """The HTTP status.

        Raises:
            Inconclusive: there was no response.
        """
        if self.exchange.status is None:
            raise Inconclusive(say("no response: {fault}", fault=self.exchange.fault))
        return self.exchange.status

    @cached_property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; empty if none was sent."""
        return (self.exchange.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def stream(self) -> EventStream:
        """The body parsed as server-sent events; only the beginning of one with an excess."""
        self._count()
        body = self.exchange.body
        read = body if self._excess is None else body[:EXCESS_READ]
        return parse_events(read, self.exchange.arrivals)

    @property
    def events(self) -> tuple[Event, ...]:
        """The stream's events, including ``[DONE]``."""
        return self.stream.events

    @property
    def json(self) -> object:
        """The body parsed as strict JSON.

        Raises:
            Inconclusive: it is not JSON, and more came behind its declared end.
            Missing: it is not JSON, contains NaN or Infinity, or has an excess of values.
        """
        read = self._json
        if isinstance(read, Failure):
            if self.exchange.surplus:  # the framing is reported, and may be why the JSON is cut
                raise Inconclusive(say("the response goes on after its declared end"))
            raise Missing(Feature.JSON, read.expected, read.seen)
        return read

    @property
    def readable(self) -> object:
        """The body parsed as strict JSON; None if it is not JSON."""
        read = self._json
        return None if isinstance(read, Failure) else read

    @cached_property
    def payloads(self) -> tuple[tuple[str, object], ...]:
        """The data of each event but ``[DONE]``, with the JSON in it or the Failure to read any.

        A stream with an excess of values ends with the Failure to read the rest.
        """
        data = (event.data for event in self.events)
        read = tuple(
            (one, _read(one, say("a stream event"))) for one in data if one.strip() != DONE
        )
        excess = self._excess
        if excess is None:
            return read
        expected = say(
            "a stream with at most {most} values in {size} characters",
            most=f"{excess.most:,}",
            size=f"{excess.size:,}",
        )
        return (*read, ("", Failure(expected, excess.seen)))

    @cached_property
    def is_stream(self) -> bool:
        """Whether the response is a stream, by its content type or the start of its body."""
        start = self.exchange.body[:64].lstrip()
        return self.content_type == "text/event-stream" or start.startswith((b"data:", b":"))

    @property
    def is_served(self) -> bool:
        """Whether the status is 200, and the response no error."""
        if self.exchange.status != 200:
            return False
        payloads = [read for _, read in self.payloads] if self.is_stream else [self.readable]
        return not any(isinstance(one, Mapping) and one.get("error") for one in payloads)

    @cached_property
    def parsed_bytes(self) -> int:
        """An estimate of the memory of the parsed body, which is small if it has an excess."""
        body = self.exchange.body
        return parsed_size(body if self._excess is None else body[:EXCESS_READ])

    def forget(self) -> None:
        """Drop what was parsed; it is parsed again when it is needed."""
        for name in _PARSED & vars(self).keys():
            del vars(self)[name]

    def expect_response(self) -> int:
        """Return the status if it is a response to the request itself.

        Raises:
            Inconclusive: 401, 402, 403, 408, 425, 429, 5xx, or no response.
        """
        status = self.status
        if status in KEY_STATUSES:
            raise Inconclusive(
                say("{reason}: {body}", reason=KEY_STATUSES[status], body=self._brief())
            )
        if status in {408, 425, 429} or status >= 500:
            raise Inconclusive(say("answered {status}: {body}", status=status, body=self._brief()))
        return status

    def expect_ok(self) -> Completion:
        """Return the completion for a valid request.

        Raises:
            Refusal: a status of :data:`REFUSALS`. The runner decides whether it breaks a promise;
                other checks judge the error body.
            Inconclusive: see :meth:`expect_response`; also an incomplete response.
            Failure: anything else that is not a completion.
        """
        status = self.expect_response()
        if status in REFUSALS:
            raise Refusal(status, self._why_refused(), self.features, self.exchange.request)
        if status != 200:
            raise Failure(
                say("status {status}", status=200),
                say("status {status}: {body}", status=status, body=self._brief()),
                place=Place.STATUS,
            )
        if self.exchange.fault is not None:
            raise Inconclusive(self._why_not_whole)
        if self.is_stream:
            return self._joined
        return self._completion

    def expect_error(self, *statuses: int) -> ErrorResponse:
        """Return the error for a request that must be rejected with one of ``statuses``.

        A persistent 500 is a failure too, because invalid input must not break a server.

        Raises:
            Inconclusive: no response, a status of :data:`TRANSIENT_STATUSES`, or one of
                :data:`KEY_STATUSES` that is not expected. With the run's own key, 401 and 402 are
                never about the request, even where 403 is expected.
            Failure: any other status.
        """
        status = self.status
        if status in statuses:
            return ErrorResponse(
                status, self._error_json(), self.exchange, is_flat=self.has_flat_errors
            )
        if status in TRANSIENT_STATUSES:
            raise Inconclusive(say("answered {status}: {body}", status=status, body=self._brief()))
        is_own = self.exchange.request.credentials is Credentials.OWN
        if status in KEY_STATUSES and (
            not set(statuses) & set(KEY_STATUSES) or (is_own and status != 403)
        ):
            raise Inconclusive(
                say("{reason}: {body}", reason=KEY_STATUSES[status], body=self._brief())
            )
        # It is a rejection all the same, only with another status.
        rejected = status >= 400 or self._is_error
        raise Failure(
            say("status {status}", status=either(*statuses)),
            say("status {status}: {body}", status=status, body=self._brief()),
            place=Place.STATUS if rejected else Place.SERVED,
        )

    @property
    def _is_error(self) -> bool:
        """Whether the body, or the first event of a stream, has an error in place of choices."""
        read = self.payloads[0][1] if self.is_stream and self.payloads else self._json
        return isinstance(read, Mapping) and "error" in read and "choices" not in read

    @property
    def is_unreadable(self) -> bool:
        """Whether the body arrived, and is too large or has an encoding that cannot be undone."""
        return (self.exchange.fault or "").startswith(UNREADABLE)

    @property
    def _why_not_whole(self) -> Message:
        if self.is_unreadable:
            return say("the response cannot be read: {fault}", fault=self.exchange.fault)
        return say("the response is incomplete: {fault}", fault=self.exchange.fault)

    def _why_refused(self) -> str:
        """Return the endpoint's error message from wherever it is; other checks judge its place."""
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
                raise Inconclusive(self._why_not_whole) from None
            return self._brief()

    def _brief(self) -> str:
        text = self.exchange.body[:400].decode("utf-8", errors="replace").strip()
        return text if len(text) <= 160 else f"{text[:159]}…"

    @cached_property
    def chunk_objects(self) -> tuple[JsonObject, ...]:
        """The JSON objects of all events except ``[DONE]``, in order of arrival.

        Raises:
            Missing: an event is not a JSON object.
            Inconclusive: the stream contains an error.
        """
        chunks: list[JsonObject] = []
        for _, chunk in self.payloads:
            if isinstance(chunk, Failure):
                raise Missing(Feature.CHUNKS, chunk.expected, chunk.seen)
            if not isinstance(chunk, Mapping):
                raise Missing(Feature.CHUNKS, say("a JSON object in each event"), shown(chunk))
            if "error" in chunk and "choices" not in chunk:
                raise Inconclusive(
                    say("the stream ended with an error: {chunk}", chunk=shown(chunk))
                )
            chunks.append(chunk)
        return tuple(chunks)

    def _count(self) -> None:
        """Have the memory of the parsed body counted, once for whatever is parsed of it."""
        if self.parsing is not None and not _PARSED & vars(self).keys():
            self.parsing(self)

    @cached_property
    def _json(self) -> object:
        self._count()
        return _read(self.exchange.body.decode("utf-8", errors="replace"), say("the body"))

    @cached_property
    def _excess(self) -> Excess | None:
        """By how much the values of the whole body exceed their limit."""
        return excess_of(self.exchange.body.decode("utf-8", errors="replace"))

    @cached_property
    def _completion(self) -> Completion:
        response = self.json
        if not isinstance(response, Mapping):
            raise Failure(say("a JSON object"), shown(response), place=Place.BODY)
        if "error" in response and "choices" not in response:
            raise Failure(
                say("a completion under status 200"),
                say("an error body: {body}", body=shown(response)),
                place=Place.BODY,
            )
        return Completion(self.exchange, response)

    @cached_property
    def _joined(self) -> Completion:
        chunks = self.chunk_objects
        if not chunks:
            raise Missing(
                Feature.CHUNKS,
                say("a stream with chunks"),
                say("no chunk in: {body}", body=self._brief()),
            )
        return Completion(self.exchange, join_chunks(chunks), chunks)


def _read(text: str, what: Message) -> object:
    try:
        return strict_json(text, what)
    except Failure as broken:
        # The traceback would keep this frame alive.
        return broken.with_traceback(None)


_PARSED = frozenset({"_json", "stream", "payloads", "chunk_objects", "_completion", "_joined"})
"""The attributes that hold parts of a parsed body."""
