"""The API key is removed from everything recorded, in any spelling."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import Arrival, Target
from conformance.transport.redact import KEY_MARK, NAMED_MARK, Redactor

KEY = 'sk-/"quoted"\\+key=='
VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
KEYS = st.text(VISIBLE, min_size=8, max_size=60).filter(lambda key: key not in KEY_MARK)
TEXTS = st.text(max_size=40)

SHAPES = {
    "as it is": lambda key: key,
    "in JSON": lambda key: json.dumps(key)[1:-1],
    "in JSON within JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "with escaped slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "all in escapes": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "in capital escapes": lambda key: "".join(f"\\u{ord(c):04X}" for c in key),
    "in a URL": lambda key: quote(key, safe=""),
    "in a form": quote_plus,
    "all in percents": lambda key: "".join(f"%{ord(c):02x}" for c in key),
    "in a URL within a URL": lambda key: quote(quote(key, safe=""), safe=""),
}


@pytest.mark.parametrize("shape", SHAPES)
@given(key=KEYS, before=TEXTS, after=TEXTS)
def test_key_is_found_in_any_spelling(shape: str, key: str, before: str, after: str) -> None:
    spelled = SHAPES[shape](key)
    raw = f"{before}{spelled}{after}".encode()
    redacted = Redactor(key).body(raw)
    assert KEY_MARK.encode() in redacted
    assert spelled.encode() not in redacted.replace(KEY_MARK.encode(), b"")


@given(key=KEYS, user=st.text(max_size=9), after=st.binary(max_size=9))
def test_key_is_found_in_basic_credentials(key: str, user: str, after: bytes) -> None:
    non_streaming = user.encode() + b":" + key.encode() + after
    for encoded in (base64.b64encode(non_streaming), base64.urlsafe_b64encode(non_streaming)):
        redacted = Redactor(key).body(b"Basic " + encoded + b" sent")
        assert KEY_MARK.encode() in redacted
        left = redacted.removeprefix(b"Basic ").partition(KEY_MARK.encode())[0]
        whole = left[: len(left) // 4 * 4]
        # What is left over before the mark decodes to the user's name and no more of the key than
        # the two bytes that share a group of four letters with it.
        assert len(base64.urlsafe_b64decode(whole)) <= len(user.encode()) + 1


@given(key=KEYS, parts=st.lists(st.binary(max_size=12), max_size=5), cut=st.integers(0, 60))
def test_read_sizes_match_the_redacted_body(key: str, parts: list[bytes], cut: int) -> None:
    secret = key.encode()
    reads = [*parts, secret[: cut % len(secret)], secret[cut % len(secret) :], *parts]
    arrivals = [Arrival(float(i), len(read)) for i, read in enumerate(reads)]
    body, moved = Redactor(key).stream(b"".join(reads), arrivals)
    assert secret not in body
    assert [arrival.at for arrival in moved] == [arrival.at for arrival in arrivals]
    assert sum(arrival.size for arrival in moved) == len(body)
    assert all(arrival.size >= 0 for arrival in moved)


@given(body=st.binary(max_size=200))
def test_body_without_the_key_is_unchanged(body: bytes) -> None:
    arrivals = (Arrival(0.5, len(body)),)
    assert Redactor("sk-not-in-there-for-sure").stream(body, arrivals) == (body, arrivals)


@pytest.mark.parametrize("key", [None, "", "x", "EMPTY", "none"])
def test_missing_and_placeholder_keys_change_nothing(key: str | None) -> None:
    text = "the answer is EMPTY, none of x"
    assert Redactor(key).text(text) == text


def test_read_ending_within_the_key_includes_its_mark() -> None:
    body, arrivals = Redactor("sk-12345678").stream(
        b"ab sk-12345678 cd", [Arrival(1, 8), Arrival(2, 4), Arrival(3, 5)]
    )
    assert body == b"ab $API_KEY cd"
    assert arrivals == (Arrival(1, 11), Arrival(2, 0), Arrival(3, 3))


OTHER = "another-secret-of-the-owner"
CARRYING = Target("http://fake.example/v1", "m", "openai", "sk-12345678", secrets=(OTHER, "short"))


def test_every_secret_has_its_mark() -> None:
    redactor = Redactor.of(CARRYING)
    assert redactor.text(f"{OTHER}, sk-12345678, short") == "[redacted], $API_KEY, short"


def test_secrets_are_hidden_without_a_key() -> None:
    assert Redactor(None, (OTHER,)).text(f"x {OTHER}") == "x [redacted]"


def test_read_sizes_match_for_every_secret() -> None:
    body, arrivals = Redactor.of(CARRYING).stream(
        f"a {OTHER} sk-12345678.".encode(), [Arrival(1, 6), Arrival(2, len(OTHER) + 9)]
    )
    assert body == b"a [redacted] $API_KEY."
    assert arrivals == (Arrival(1, 12), Arrival(2, 10))


def test_headers_are_redacted_by_value_and_by_name() -> None:
    headers = [
        ("Set-Cookie", "session=1"),
        ("OpenAI-Organization", "user-abc"),
        ("X-Echo", f"Bearer {KEY}"),
        ("X-Request-Id", "req_1"),
    ]
    assert Redactor(KEY).headers(headers) == (
        ("Set-Cookie", NAMED_MARK),
        ("OpenAI-Organization", NAMED_MARK),
        ("X-Echo", "Bearer $API_KEY"),
        ("X-Request-Id", "req_1"),
    )


def test_text_with_a_lone_surrogate_survives() -> None:
    assert Redactor("sk-12345678").text("\ud800 sk-12345678") == "\ud800 $API_KEY"
