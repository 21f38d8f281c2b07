"""Read a record for charts: bodies as JSON or as events with arrival times.

Responses are untrusted: values of the wrong type and oversized bodies are ignored.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from conformance.model import Credentials, Exchange, Finding, Request, Run
from conformance.protocol.strict_json import excess_of, parsed_size

LARGEST = 1_000_000
"""Maximum bytes of a body that is parsed."""

MAX_PARSED_BYTES = 64 * 2**20
"""Estimated memory of all bodies that are parsed, the first of the run; a deep run at a real server
needs up to 46 MiB."""

MAX_CHUNKS_READ = 5_000
"""Maximum number of events of a stream that are read."""

MAX_COUNTED_TOKENS = 10**7
"""Maximum plausible token count; larger values are ignored."""

MAX_ELAPSED_SECONDS = 3_600.0
"""Maximum plausible duration in seconds; larger values are ignored."""

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a stream: its JSON object, and ``at``, seconds since the request."""

    at: float
    data: Json


@dataclass(frozen=True, slots=True)
class ReadExchange:
    """One request with a 200 response.

    A stream has ``chunks``, a non-streaming response has a ``document``. ``elapsed`` is in seconds,
    from the request to the end of the body.
    """

    request: Request
    request_body: Json
    document: Json
    chunks: tuple[Chunk, ...]
    elapsed: float

    @property
    def is_stream(self) -> bool:
        """Return whether the response is a stream."""
        return bool(self.chunks)

    @property
    def prompt(self) -> str | None:
        """The prompt if it is one string without suffix, otherwise None."""
        prompt = self.request_body.get("prompt")
        return prompt if isinstance(prompt, str) and not self.request_body.get("suffix") else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """All responses of a run, the reference server's by request, and the findings."""

    responses: tuple[ReadExchange, ...]
    reference: Mapping[Request, ReadExchange]
    findings: tuple[Finding, ...]


def recorded(run: Run) -> Recorded:
    """Read all responses of a run."""
    left = MAX_PARSED_BYTES

    def read(exchange: Exchange) -> ReadExchange | None:
        nonlocal left
        left -= parsed_size(exchange.body)
        return read_exchange(exchange) if left > 0 else None

    responses = [read(exchange) for exchange in run.exchanges]
    request = {exchange.id: exchange.request for exchange in run.exchanges}
    reference = {
        request[comparison.exchange]: response
        for comparison in run.comparisons
        if comparison.exchange in request and (response := read(comparison.answer)) is not None
    }
    kept = tuple(response for response in responses if response is not None)
    return Recorded(kept, reference, run.findings)


def read_exchange(exchange: Exchange) -> ReadExchange | None:
    """Read one exchange; None unless it is a complete 200 response to a completion request."""
    request = exchange.request
    usable = (
        exchange.status == 200
        and exchange.fault is None
        and request.credentials is Credentials.OWN
        and len(exchange.body) <= LARGEST
        and is_time(exchange.elapsed)
        and excess_of(exchange.body.decode("utf-8", errors="replace")) is None
    )
    body = json_object(request.body) if usable else {}
    if not body or "prompt" not in body:
        return None
    document = json_object(exchange.body)
    chunks = () if document else tuple(_chunks(exchange))
    return (
        ReadExchange(request, body, document, chunks, exchange.elapsed)
        if document or chunks
        else None
    )


def choices(document: Json) -> list[Json]:
    """Return the choices of a response or chunk that are objects."""
    found = document.get("choices")
    listed = found if isinstance(found, list) else []
    return [choice for choice in listed if isinstance(choice, dict)]


def text_in(document: Json) -> str:
    """Return the concatenated text of a response or chunk."""
    texts = (choice.get("text") for choice in choices(document))
    return "".join(text for text in texts if isinstance(text, str))


def count(value: object, most: int = MAX_COUNTED_TOKENS) -> int | None:
    """Return an integer from 0 to ``most``, otherwise None."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if usable and isinstance(value, int) else None


def number(value: object) -> float | None:
    """Return a finite number of drawable size, otherwise None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -1e9 < value < 1e9 else None


def is_time(value: float) -> bool:
    """Return whether a number is a plausible duration in seconds."""
    return math.isfinite(value) and 0 <= value <= MAX_ELAPSED_SECONDS


def json_object(body: bytes | str) -> Json:
    """Parse a JSON object; anything else gives an empty one."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _chunks(exchange: Exchange) -> Iterator[Chunk]:
    """Yield events that are JSON objects, with the time at which each was complete."""
    ends = list(accumulate(arrival.size for arrival in exchange.arrivals))
    times = [arrival.at for arrival in exchange.arrivals]
    begin = 0
    for number_of, end in enumerate(_END_OF_EVENT.finditer(exchange.body)):
        if number_of >= MAX_CHUNKS_READ:
            return
        data = json_object(_data(exchange.body[begin : end.start()]))
        begin = end.end()
        at = _at(ends, times, begin)
        if data and at is not None:
            yield Chunk(at, data)


def _data(event: bytes) -> bytes:
    lines = (line.removeprefix(b"data:") for line in event.splitlines() if line[:5] == b"data:")
    return b"\n".join(lines)


def _at(ends: Sequence[int], times: Sequence[float], offset: int) -> float | None:
    """Return the time at which ``offset`` bytes had arrived."""
    place = bisect_left(ends, offset)
    return times[place] if place < len(times) and is_time(times[place]) else None
