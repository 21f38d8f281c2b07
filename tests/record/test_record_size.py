"""A record has at most one and a half times the bytes that it holds."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import Attempt, Exchange, Request
from conformance.record.line import (
    _converter,
    to_line,
)

SIZE = 60_000
BODIES = {
    "text": b"word " * (SIZE // 5),
    "chinese": "字".encode() * (SIZE // 3),
    "controls": b"\x01" * SIZE,
    "nulls": b"\0a" * (SIZE // 2),
    "quotes": b'"' * SIZE,
    "backslashes": b"\\" * SIZE,
    "line ends": b"\r\n" * (SIZE // 2),
    "half quotes": b'"a' * (SIZE // 2),
    "few controls": b"\x01" + b"a" * 9,
    "not utf-8": b"\xff" * SIZE,
    "cut character": b"a" * SIZE + b"\xe5",
    "surrogates": b"\xed\xa0\x80" * (SIZE // 3),
    "delete": b"\x7f" * SIZE,
    "separators": "\u2028".encode() * (SIZE // 3),
    "random": os.urandom(SIZE),
}
EMPTY = Exchange("x0001", Request("GET", "/models"), (), 200, (), b"", (), 0.1)


def added_by(body: bytes) -> int:
    """Return the bytes of a line that a body takes."""
    return len(to_line("exchange", replace(EMPTY, body=body))) - len(to_line("exchange", EMPTY))


@pytest.mark.parametrize("name", BODIES)
def test_body_takes_half_as_much_more(name: str) -> None:
    assert added_by(BODIES[name]) <= 1.5 * len(BODIES[name]) + 10


@given(st.binary(max_size=200))
def test_any_body_takes_half_as_much_more(body: bytes) -> None:
    assert added_by(body) <= 1.5 * len(body) + 10


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_body_is_read_as_it_was(body: bytes) -> None:
    data = json.loads(to_line("exchange", replace(EMPTY, body=body)))
    del data["kind"]
    assert _converter.structure(data, Exchange).body == body


def test_ordinary_bodies_stay_readable() -> None:
    completion = json.dumps({"choices": [{"text": "a\nb", "index": 0, "logprobs": None}]})
    for body in (
        completion.encode(),
        b'data: {"text": "\\u00e9"}\n\n',
        json.dumps({"a": completion}).encode(),
    ):
        assert b'"text":"' in to_line("exchange", replace(EMPTY, body=body))


def test_bodies_of_attempts_are_bounded_too() -> None:
    attempts = tuple(Attempt(0.0, 0.1, 503, None, body=b"\x01" * 2_000) for _ in range(3))
    assert len(to_line("exchange", replace(EMPTY, attempts=attempts))) < 1.5 * 6_000 + 1_000
