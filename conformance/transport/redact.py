r"""Redact the API key and other secrets from everything that is recorded, by value.

An endpoint can show the key in an error message, a header or a debug page, and records are shared.
The key is found as it is and escaped in JSON, URLs or HTML, in any mixture and depth of these
(:mod:`~conformance.transport.views`); in capitals, in reverse, with blanks in it, in hexadecimal,
base32 and base64 (:mod:`~conformance.transport.needles`); and split between the texts that checks
join (:mod:`~conformance.transport.pieces`). The time is linear in the size of the body.

A body is redacted as a whole, so a key that is split between two reads is found as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from conformance.message import Message, verbatim
from conformance.model import Arrival, Exchange, Target
from conformance.transport.needles import Needles, Secret, TooManyError
from conformance.transport.pieces import groups_of, texts_of
from conformance.transport.views import Span, View, decoded_views, joined, merged, plain_letters

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")

KEY_MARK = "$API_KEY"
"""Replaces the key; in a shell command it is the variable to type."""

NAMED_MARK = "[redacted]"

SECRET_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
    }
)
"""Response headers that identify an account or session and are always redacted."""

MIN_SECRET_CHARS = 8
"""Minimum characters of a secret. A shorter key is a placeholder such as ``EMPTY`` or ``x``:
redacting it everywhere would change the responses under test."""

_STAND_IN = re.compile(
    r"no[-_ ]?key|not[-_ ]?(?:needed|required|used)|empty|none|null|dummy|fake|placeholder"
    r"|lm-studio|ollama|x{4}|your[-_ ]",
    re.IGNORECASE,
)
"""Values that people use when a client requires a key and the endpoint does not."""


def is_placeholder(key: str | None) -> bool:
    """Return whether a key is missing, too short for a secret, or a known placeholder."""
    return not key or len(key) < MIN_SECRET_CHARS or _STAND_IN.search(key) is not None


class Redactor:
    """Replaces the key by :data:`KEY_MARK` and other secrets by :data:`NAMED_MARK`.

    Secrets of fewer than :data:`MIN_SECRET_CHARS` characters are not replaced.
    """

    def __init__(self, key: str | None, others: Sequence[str] = ()) -> None:
        known = {**dict.fromkeys(others, NAMED_MARK), key or "": KEY_MARK}
        secrets = [
            Secret(text, mark.encode(), loose=not is_placeholder(text))
            for text, mark in known.items()
            if len(text) >= MIN_SECRET_CHARS
        ]
        # A secret can be the beginning of another one.
        secrets.sort(key=lambda secret: -len(secret.text))
        self._needles = Needles(secrets) if secrets else None

    @classmethod
    def of(cls, target: Target, others: Sequence[str] = ()) -> Self:
        """Return a redactor for the secrets of a target and ``others``."""
        return cls(target.api_key, (*target.secrets, *others))

    def text(self, text: str, *, split: bool = True) -> str:
        """Redact a text; ``split`` also searches for a secret between its string literals."""
        if self._needles is None or not text:
            return text
        raw = text.encode("utf-8", errors="surrogatepass")
        found = self._found(raw, split=split)
        return _replaced(raw, found).decode("utf-8", "surrogatepass") if found else text

    def exchange(self, exchange: Exchange) -> Exchange:
        """Redact the request of an exchange: a user can have given a key for a model."""
        request = exchange.request
        body = self.body(request.body)
        if body is request.body:
            return exchange
        return replace(exchange, request=replace(request, body=body))

    def record(self, record: Record) -> Record:
        """Redact the texts of a record, and those in its tuples and mappings of texts."""
        changed = {}
        for field in fields(record):
            value = getattr(record, field.name)
            redacted = self._value(value)
            if redacted != value:
                changed[field.name] = redacted
        return replace(record, **changed) if changed else record

    def _value(self, value: Any) -> Any:
        match value:
            case Message():
                return self.message(value)
            # Members of an enumeration are no texts of anybody else.
            case str() if type(value) is str:
                return self.text(value, split=False)
            case tuple():
                return tuple(map(self._value, value))
            case Mapping():
                return {self._value(key): self._value(each) for key, each in value.items()}
        return value

    def message(self, message: Message) -> Message:
        """Redact the evidence in a message."""
        redacted = message.mapped(lambda text: self.text(text, split=False))
        whole = self.text(redacted, split=False)
        # A secret can stand across two arguments that the sentence joins.
        return redacted if whole == redacted else verbatim(whole)

    def body(self, body: bytes) -> bytes:
        """Redact raw bytes; without a secret in them, the same object is returned."""
        found = self._found(body)
        return _replaced(body, found) if found else body

    def headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Redact headers, by value and by name."""
        return tuple(
            (self.text(name), NAMED_MARK if name.lower() in SECRET_HEADERS else self.text(value))
            for name, value in headers
        )

    def stream(self, body: bytes, arrivals: Sequence[Arrival]) -> tuple[bytes, tuple[Arrival, ...]]:
        """Redact a body and adjust the sizes of its reads.

        A read that ended inside a secret ends after its replacement.
        """
        found = self._found(body)
        if not found:
            return body, tuple(arrivals)
        return _replaced(body, found), tuple(_moved(arrivals, found))

    def _found(self, body: bytes, *, split: bool = True) -> list[Span]:
        """Return where the secrets are, in ascending order and without overlaps."""
        if self._needles is None or len(body) < self._needles.shortest:
            return []
        try:
            return merged(_spans(View(body), self._needles, split=split))
        except TooManyError as error:
            return [Span(0, len(body), error.mark)]


def _spans(whole: View, needles: Needles, *, split: bool) -> list[Span]:
    spans = _spans_in(whole, needles)
    if split and _can_be_split(whole.data, needles):
        for pieces in groups_of(whole.data):
            spans += _spans_in(joined(whole, pieces), needles)
    return spans


def _spans_in(view: View, needles: Needles) -> list[Span]:
    """Search a view as it is, decoded step by step, and decoded completely."""
    spans = needles.everywhere(view)
    last = None
    for last in decoded_views(view, apart=needles.look_escaped):
        spans += needles.exact(last) + needles.swallowed(last)
    ends = [view, last] if last else [view]
    if last:
        spans += needles.everywhere(last)
    for letters in map(plain_letters, ends):
        spans += needles.everywhere(letters) if letters else []
    return spans


def _can_be_split(body: bytes, needles: Needles) -> bool:
    """Return whether the texts in a body have the characters of a secret, in any order."""
    texts = texts_of(body)
    # An escape of these can be split between two texts as well.
    if texts is None or b"%" in texts or b"&" in texts:
        return True
    first = View(texts)
    *_, last = first, *decoded_views(first, apart=needles.look_escaped)
    views = (first, last, plain_letters(last))
    return any(needles.are_possible_in(view.data) for view in views if view is not None)


def _replaced(body: bytes, found: Sequence[Span]) -> bytes:
    parts = []
    end = 0
    for span in found:
        parts += [body[end : span.start], span.mark]
        end = span.end
    return b"".join([*parts, body[end:]])


def _moved(arrivals: Sequence[Arrival], found: Sequence[Span]) -> Iterator[Arrival]:
    """Give each read the size that is left of it; a mark is in the first read it touches."""
    spans = iter(found)
    span = next(spans, None)
    read = shift = shown = 0
    for arrival in arrivals:
        read += arrival.size
        while span is not None and span.end <= read:
            shift += len(span.mark) - (span.end - span.start)
            span = next(spans, None)
        end = read + shift
        if span is not None and span.start < read:
            end = span.start + shift + len(span.mark)
        yield Arrival(arrival.at, end - shown)
        shown = end
