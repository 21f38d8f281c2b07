"""Mutations of recorded exchanges: bytes, JSON, streams, headers, statuses and arrivals.

A mutation is a name and a seed, so that a failing example is two words that can be pinned.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.model import Arrival, Exchange

KEY = "sk-planted-0123456789abcdefXYZ"
"""The key that mutations plant; no report may show it."""

MOST_REPEATS = 400

TEXTS = (
    *("", " ", "\n" * 40, "\0\x1b[31m\x07\x9b", "\ud800", "\u202e\u2066\u200b\ufeff", "\ufffd"),
    *("bytes:\\xe4", "<|endoftext|>", "</script><script>alert(1)</script>", "]]><x/>&y;"),
    *("``` | ` [x](javascript:alert(1))", "{{ 7*7 }}", "a\u0300\u200d" * 30, "1, 2, 3, 4, 5"),
    *("9" * 5_000, "'\"\\", "\\u0073k-", KEY, f"a {KEY} b", "[bold red]", "\r\n\u2028", " " * 300),
    *("Traceback (most recent call last)", "\n at f (" + ":1" * 50, "https://" * 30),
)
"""Strings that break readers, reports or terminals."""

NUMBERS = (
    *("-0", "-0.0", "1e308", "-1.7e308", "1e999", "-1e999", "1e-999", "NaN", "Infinity", "1" * 30),
    *(
        "9" * 300,
        "9" * 308,
        "9" * 400,
        "9" * 4_000,
        "-" + "9" * 4_400,
        "1000000000000000000",
        "1.5",
        "-1",
    ),
    *("2147483648", "0.1e1", "01", "1_0", "+1", "0x1"),
)
"""Literals of numbers, some of which are no JSON."""

VALUES = ("null", "true", "{}", "[]", "[[]]", "[{}]", '{"error":{"message":"x"}}', '"stop"', "0")
HEADERS = (
    *("content-type", "retry-after", "date", "x-ratelimit-limit-requests", "x-request-id"),
    *(
        "x-ratelimit-remaining-tokens",
        "openai-processing-ms",
        "location",
        "x-\xe9",
        "authorization",
    ),
)
HEADER_VALUES = (
    *TEXTS,
    *("text/event-stream", "application/json; charset=" + "x" * 500, "text/html", "image/png"),
    *("9" * 5_000, "-1", "1e999", "\xff\x00"),
)
DATES = (
    *("Mon, 01 Jan 99999999999999 00:00:00 GMT", "Mon, 01 Jan 9999 23:59:59 -9999"),
    *("Mon, 01 Jan 0001 00:00:00 +1400", "1 Jan 1", "Mon, 01 Jan 2026 99999999999:00:00 GMT"),
    *("Mon, 01 Jan 2026 00:00:00 +99999999999999", ", ,", "Mon"),
)
STATUSES = (None, 100, 200, 204, 299, 301, 400, 401, 402, 403, 404, 413, 418, 422, 429, 500, 503)

_VALUE = re.compile(
    rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null)(?=\s*[,}\]])'
)
_NAME = re.compile(rb'"[a-z_]+"(?=:)')

Change = Callable[[Exchange, random.Random], Exchange]
CHANGES: dict[str, Change] = {}
"""All mutations by name."""


@dataclass(frozen=True)
class Mutation:
    """A named change with the seed of its choices."""

    name: str
    seed: int

    def of(self, exchange: Exchange) -> Exchange:
        """Return the changed exchange."""
        return CHANGES[self.name](exchange, random.Random(self.seed))


def _changes(function: Change) -> Change:
    CHANGES[function.__name__] = function
    return function


def _changes_body(function: Callable[[bytes, random.Random], bytes]) -> None:
    def change(exchange: Exchange, rng: random.Random) -> Exchange:
        body = function(exchange.body, rng)
        return replace(exchange, body=body, arrivals=(Arrival(0.1, len(body)),))

    CHANGES[function.__name__] = change


@_changes_body
def flip_bytes(body: bytes, rng: random.Random) -> bytes:
    raw = bytearray(body)
    for _ in range(rng.randint(1, 8) if raw else 0):
        raw[rng.randrange(len(raw))] = rng.choice(b'\x00\x1b\x7f\x80\xc3\xed\xff"\\{}[],:\n\r ')
    return bytes(raw)


@_changes_body
def truncate(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randint(0, len(body))]


@_changes_body
def repeat_part(body: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(body))
    part = body[start : start + rng.randint(1, 60)]
    return body[:start] + part * rng.randint(1, MOST_REPEATS) + body[start:]


@_changes_body
def repeat_whole(body: bytes, rng: random.Random) -> bytes:
    return body * rng.randint(2, 4)


@_changes_body
def replace_value(body: bytes, rng: random.Random) -> bytes:
    return _replaced(body, rng, lambda: rng.choice(VALUES).encode())


@_changes_body
def replace_number(body: bytes, rng: random.Random) -> bytes:
    return _replaced(body, rng, lambda: rng.choice(NUMBERS).encode())


@_changes_body
def replace_text(body: bytes, rng: random.Random) -> bytes:
    return _replaced(body, rng, lambda: json.dumps(rng.choice(TEXTS)).encode())


@_changes_body
def replace_raw_text(body: bytes, rng: random.Random) -> bytes:
    text = rng.choice(TEXTS).encode("utf-8", errors="surrogatepass")
    return _replaced(body, rng, lambda: b'"%s"' % text)


@_changes_body
def nest_value(body: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((3, 90, 110, 990, 2_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return _replaced(body, rng, lambda: opening * depth + b"1" + closing * depth)


@_changes_body
def multiply_value(body: bytes, rng: random.Random) -> bytes:
    value = rng.choice(VALUES).encode()
    return _replaced(body, rng, lambda: b"[" + (value + b",") * rng.randint(1, 900) + value + b"]")


@_changes_body
def rename_key(body: bytes, rng: random.Random) -> bytes:
    names = list(_NAME.finditer(body))
    if not names:
        return body
    one, other = rng.choice(names), rng.choice(names)
    return body[: one.start()] + other[0] + body[one.end() :]


@_changes_body
def plant_key(body: bytes, rng: random.Random) -> bytes:
    place = rng.randint(0, len(body))
    return body[:place] + KEY.encode() + body[place:]


@_changes_body
def change_line_ends(body: bytes, rng: random.Random) -> bytes:
    ends = (b"\r", b"\r\n", b"\n\n", b"\r\r\n", b"")
    return re.sub(rb"\n", lambda end: rng.choice((end[0], rng.choice(ends))), body)


@_changes_body
def add_lines(body: bytes, rng: random.Random) -> bytes:
    kinds = (b":\n", b"data:\n\n", b"event: error\n", b"x\n", b"data: {}\n\n", b"id\n", b"\r")
    line = rng.choice((*kinds, b"\xef\xbb\xbf", b"data: [DONE]\n\n"))
    start = rng.choice([0, *(end.end() for end in re.finditer(rb"\n", body)), len(body)])
    return body[:start] + line * rng.randint(1, MOST_REPEATS) + body[start:]


@_changes_body
def shuffle_events(body: bytes, rng: random.Random) -> bytes:
    events = body.split(b"\n\n")
    rng.shuffle(events)
    return b"\n\n".join(events)


@_changes_body
def pad(body: bytes, rng: random.Random) -> bytes:
    padding = rng.choice((b" ", b"\n", b"\0", b"\\", b'"', b"[", b"\xff", b"{}")) * rng.randint(
        1, 9_000
    )
    return padding + body if rng.random() < 0.5 else body + padding


@_changes
def change_header(exchange: Exchange, rng: random.Random) -> Exchange:
    name = rng.choice(HEADERS)
    dated = name in {"date", "retry-after"} and rng.random() < 0.7
    header = (name, rng.choice(DATES if dated else HEADER_VALUES))
    others = tuple(pair for pair in exchange.headers if pair[0] != header[0])
    return replace(exchange, headers=(*others, header))


@_changes
def change_status(exchange: Exchange, rng: random.Random) -> Exchange:
    status = rng.choice(STATUSES)
    attempts = tuple(replace(attempt, status=status) for attempt in exchange.attempts)
    fault = "the connection was closed" if status is None else exchange.fault
    return replace(exchange, status=status, attempts=attempts, fault=fault)


@_changes
def split_arrivals(exchange: Exchange, rng: random.Random) -> Exchange:
    left, at, arrivals = len(exchange.body), 0.0, []
    while left > 0 and len(arrivals) < MOST_REPEATS:
        size = rng.randint(0, left)
        at += rng.choice((0.0, 0.001, 1.0, 100.0))
        arrivals.append(Arrival(at, size))
        left -= size
    return replace(exchange, arrivals=tuple(arrivals), elapsed=at)


def _replaced(body: bytes, rng: random.Random, value: Callable[[], bytes]) -> bytes:
    """Replace some values of JSON, or all of them."""
    places: list[Any] = list(_VALUE.finditer(body))
    if not places:
        return value()
    chosen = places if rng.random() < 0.2 else [rng.choice(places)]
    written, end = bytearray(), 0
    for place in chosen:
        written += body[end : place.start(1)] + value()
        end = place.end(1)
    return bytes(written + body[end:])
