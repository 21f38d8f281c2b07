"""The requests of a run as operations with the attributes of OpenTelemetry; pure.

Names are those of the semantic conventions for generative AI in their own repository
(open-telemetry/semantic-conventions-genai, commit 024a4f94, docs/gen-ai/client-inference.md, read
on 2026-12-01; status: development). Prompts, stop sequences and texts are left out: by the
conventions they are opt-in, because they may be sensitive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from urllib.parse import urlsplit

from conformance.model import Credentials, Exchange, Header, Run
from conformance.report.charts.traffic import (
    Json,
    ReadExchange,
    choices,
    count,
    is_time,
    json_object,
    number,
    read_exchange,
)
from conformance.report.sanitize import cut, line

Value = str | bool | int | float | tuple[str, ...]

OPERATION = "text_completion"
PROVIDER = "openai"
"""The convention's word for the format of the requests, on any server."""

MAX_VALUE_CHARS = 200
MAX_FINISH_REASONS = 128
NANOSECONDS = 1_000_000_000
DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Operation:
    """One request with all its attempts.

    Attributes:
        started, ended: nanoseconds since 1970.
        attributes: of the span.
        shared: those of them that metrics have, too.
        error: the value of ``error.type``; None if the request was answered.
        first_chunk: seconds from the last attempt to the first chunk of a stream; None otherwise.
        tokens: input and output tokens as the endpoint reports them; None if it does not.
    """

    started: int
    ended: int
    attributes: Mapping[str, Value] = field(hash=False)
    shared: Mapping[str, Value] = field(hash=False)
    error: str | None = None
    first_chunk: float | None = None
    tokens: tuple[int | None, int | None] = (None, None)

    @property
    def seconds(self) -> float:
        """The duration."""
        return (self.ended - self.started) / NANOSECONDS


class UndatedError(ValueError):
    """The record has no valid start time."""


def start_of(header: Header) -> int:
    """Return when a run began, in nanoseconds since 1970.

    Raises:
        UndatedError: the record does not say so.
    """
    try:
        return int(datetime.fromisoformat(header.started_at).timestamp()) * NANOSECONDS
    except (ValueError, OverflowError):
        raise UndatedError from None


def operations_of(run: Run) -> Iterator[Operation]:
    """Yield the completion requests of a run that were sent with the target's own key.

    Raises:
        UndatedError: the record has no valid start time.
    """
    began = start_of(run.header)
    for exchange in run.exchanges:
        request = exchange.request
        is_own = request.credentials is Credentials.OWN
        if request.method == "POST" and is_own and exchange.attempts:
            yield _operation(run.header, exchange, began)


def _operation(header: Header, exchange: Exchange, began: int) -> Operation:
    first, last = exchange.attempts[0], exchange.attempts[-1]
    started = began + _nanoseconds(first.started)
    ended = max(started, began + _nanoseconds(last.started) + _nanoseconds(last.elapsed))
    error = _error(exchange)
    read = read_exchange(exchange)
    response = _response(read) if read else {}
    shared: dict[str, Value] = {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": _text(header.model),
        **_server(header.base_url),
        **({"error.type": error} if error else {}),
    }
    attributes: dict[str, Value] = {
        **shared,
        **_request(json_object(exchange.request.body)),
        **response,
        "conformance.exchange": exchange.id,
    }
    if exchange.status is not None:
        attributes["http.response.status_code"] = exchange.status
    if len(exchange.attempts) > 1:
        attributes["http.request.resend_count"] = len(exchange.attempts) - 1
    tokens = tuple(
        value if isinstance(value := response.get(f"gen_ai.usage.{kind}_tokens"), int) else None
        for kind in ("input", "output")
    )
    first_chunk = response.get("gen_ai.response.time_to_first_chunk")
    return Operation(
        started,
        ended,
        attributes,
        shared,
        error,
        first_chunk if isinstance(first_chunk, float) else None,
        (tokens[0], tokens[1]),
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * NANOSECONDS) if is_time(seconds) else 0


def _text(value: str) -> str:
    return cut(line(value), MAX_VALUE_CHARS)


def _server(base_url: str) -> dict[str, Value]:
    try:
        parts = urlsplit(base_url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return {}
    if not parts.hostname or port is None:
        return {}
    return {"server.address": _text(parts.hostname), "server.port": port}


def _error(exchange: Exchange) -> str | None:
    """Return the class of an error: the status, or ``_OTHER`` of a request without an answer."""
    if exchange.status is None or exchange.fault is not None:
        return "_OTHER"
    return str(exchange.status) if exchange.status >= 400 else None


_SETTINGS: Mapping[str, tuple[str, Callable[[object], float | int | None]]] = {
    "max_tokens": ("gen_ai.request.max_tokens", count),
    "temperature": ("gen_ai.request.temperature", number),
    "top_p": ("gen_ai.request.top_p", number),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", number),
    "presence_penalty": ("gen_ai.request.presence_penalty", number),
    "seed": ("gen_ai.request.seed", count),
    "top_k": ("gen_ai.request.top_k", count),
}


def _request(body: Json) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for parameter, (name, take) in _SETTINGS.items():
        value = take(body.get(parameter))
        if value is not None:
            found[name] = value
    if body.get("stream") is True:
        found["gen_ai.request.stream"] = True
    copies = count(body.get("n"))
    if copies is not None and copies != 1:
        found["gen_ai.request.choice.count"] = copies
    return found


def _response(read: ReadExchange) -> dict[str, Value]:
    documents = [chunk.data for chunk in read.chunks] if read.is_stream else [read.document]
    found: dict[str, Value] = {}
    for member in ("id", "model"):
        texts = (document.get(member) for document in documents)
        value = next((text for text in texts if isinstance(text, str) and text), None)
        if value is not None:
            found[f"gen_ai.response.{member}"] = _text(value)
    reasons = tuple(_reasons(chain.from_iterable(map(choices, documents))))
    if reasons:
        found["gen_ai.response.finish_reasons"] = reasons
    usages = [usage for each in documents if isinstance(usage := each.get("usage"), dict)]
    for kind, member in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        tokens = count(usages[-1].get(member)) if usages else None
        if tokens is not None:
            found[f"gen_ai.usage.{kind}_tokens"] = tokens
    if read.is_stream and is_time(read.chunks[0].at):
        found["gen_ai.response.time_to_first_chunk"] = float(read.chunks[0].at)
    return found


def _reasons(listed: Iterable[Json]) -> Iterator[str]:
    reasons = (choice.get("finish_reason") for choice in listed)
    stated = (reason for reason in reasons if isinstance(reason, str))
    yield from map(_text, islice(stated, MAX_FINISH_REASONS))
