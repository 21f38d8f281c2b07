"""The key is found in every disguise and in pieces, in linear time, and nothing else is changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import Arrival
from conformance.transport.needles import MOST_FOUND
from conformance.transport.redact import KEY_MARK, NAMED_MARK, Redactor
from conformance.transport.views import CHUNK
from tests.hostile.secrets import FORMS, SPLITS

KEY = "sk-proj-R4nd0m_Zq8Xw7Vu6Tt5-Gg3Hh2Jj1LmNpB9kQeYs"
ODD = 'k/"<&>\\u0041%41+key=="(.*)[^$]{2,}|Zq8Xw7'
MARK = KEY_MARK.encode()
REDACTOR = Redactor(KEY)

# Names and numbers that real bodies have, and keys do not.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.mark.parametrize("key", [KEY, ODD], ids=["key", "odd key"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_in_json(form: str, key: str) -> None:
    shown = FORMS[form](key)
    assert Redactor(key).text(shown) != shown or (form, key) in UNSEEN
    body = json.dumps({"before": "a", "text": shown, "after": "b"}).encode()
    redacted = Redactor(key).body(body)
    assert redacted != body or (form, key) in UNSEEN
    assert redacted.startswith(b'{"before": "a", "text": "')
    assert redacted.endswith(b'", "after": "b"}')


UNSEEN = {
    # Without its punctuation, little is left of this one.
    *((form, ODD) for form in ("spaced", "zero-width", "lines", "utf-16")),
    # What it decodes to contains what looks like another escape.
    *((form, ODD) for form in ("upper", "circled", "percent-often", "backslashes", "mixed")),
}


@pytest.mark.parametrize("spelled", [str, str.upper, " ".join, list])
def test_key_without_its_prefix_is_found(spelled) -> None:
    """Relays keep the key of a user without ``sk-``, and show it so."""
    for rest in (KEY.removeprefix("sk-"), KEY.removeprefix("sk-proj-")):
        body = json.dumps({"error": {"message": spelled(rest)}}).encode()
        assert MARK in REDACTOR.body(body)
    words = Redactor("sk-proj-short").text("proj-short and short")
    assert words == "proj-short and short"


@pytest.mark.parametrize("split", SPLITS)
def test_key_in_pieces_is_found(split: str) -> None:
    body = SPLITS[split](KEY)
    arrivals = [Arrival(number * 0.1, 7) for number in range(len(body) // 7)]
    arrivals.append(Arrival(9.0, len(body) % 7))
    redacted, moved = REDACTOR.stream(body, arrivals)
    assert redacted.count(MARK) >= 1
    left = re.sub(rb"[^A-Za-z0-9]+", b"", redacted.replace(MARK, b""))
    key = re.sub(r"[^A-Za-z0-9]+", "", KEY).encode()
    assert not any(key[start : start + 5] in left for start in range(len(key) - 4))
    assert sum(arrival.size for arrival in moved) == len(redacted)
    assert all(arrival.size >= 0 for arrival in moved)
    assert [arrival.at for arrival in moved] == [arrival.at for arrival in arrivals]


@pytest.mark.parametrize("split", ["events", "choices", "tokens", "one-by-one", "pretty"])
def test_json_stays_json(split: str) -> None:
    redacted = REDACTOR.body(SPLITS[split](KEY)).decode()
    for line in redacted.split("\n\n") if split == "events" else [redacted]:
        if line:
            json.loads(line.removeprefix("data: "))


@given(JSON)
def test_json_without_the_key_is_unchanged(value: object) -> None:
    for body in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False, indent=1)):
        raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        assert REDACTOR.body(raw) is raw


@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"])), st.integers(0, 4))
def test_key_in_plain_letters_among_others_is_found(others: str, place: int) -> None:
    styled = FORMS["full-width"](KEY)
    body = json.dumps({"a": [others, others[:place] + styled + others]}, ensure_ascii=False)
    shown = REDACTOR.text(body)
    assert styled not in shown
    assert KEY_MARK in shown
    json.loads(shown)


def test_styled_key_beyond_a_chunk_is_found() -> None:
    """A character of several bytes lies at the end of a chunk, whatever its offset."""
    styled = FORMS["full-width"](KEY)
    for offset in range(7):
        for other in ("ｂ", "\ud835\udc1b"):
            body = "a" * offset + other * (CHUNK // 3 + 5) + styled + other
            assert REDACTOR.text(body) == body.replace(styled, KEY_MARK)


@given(st.lists(st.sampled_from([*'\\%&#;"[]{}:,u25x0\n', "data:", "sk-", KEY[:30], KEY[3:]])))
def test_fragments_of_the_key_and_escapes_are_unchanged(parts: list[str]) -> None:
    body = "".join(parts)
    if KEY not in body:
        assert KEY not in REDACTOR.text(body)


@pytest.mark.parametrize(
    "innocent",
    [
        "sk-proj-R4nd***QeYs",
        "Incorrect API key provided: sk-proj-****kQeYs.",
        "c2stcHJvai1SNG5kMG0=",
    ],
)
def test_masked_keys_are_left(innocent: str) -> None:
    assert REDACTOR.text(innocent) == innocent


def test_words_of_a_placeholder_are_left() -> None:
    redactor = Redactor("your-api-key-goes-here")
    assert redactor.text("your-api-key-goes-here") == KEY_MARK
    assert redactor.text("Your API key goes here") == "Your API key goes here"


def test_secrets_that_begin_alike_keep_their_marks() -> None:
    redactor = Redactor(KEY, [KEY + "-and-more", "tenant-secret-0123"])
    shown = f"{KEY} {KEY}-and-more tenant-secret-0123"
    assert redactor.text(shown) == f"{KEY_MARK} {NAMED_MARK} {NAMED_MARK}"


@pytest.mark.parametrize(
    "key", ["пароль-ключ-секрет", "clé-secrète-\U0001f511-key", "ab\ud800cdefghij"]
)
def test_any_characters_can_be_in_a_key(key: str) -> None:
    for spelled in (key, json.dumps(key)[1:-1]):
        assert Redactor(key).text(f"<{spelled}>") == f"<{KEY_MARK}>"


def test_key_of_100000_characters_is_found() -> None:
    key = "".join(f"{number:x}-Zz" for number in range(15_000))
    body = json.dumps({"text": f"a {key} b"}).encode()
    assert Redactor(key).body(body) == b'{"text": "a $API_KEY b"}'


def test_body_full_of_keys_is_one_mark() -> None:
    assert REDACTOR.body(KEY.encode() * MOST_FOUND) == MARK
    assert REDACTOR.body(" ".join(KEY).encode() * MOST_FOUND) == MARK


def test_lists_of_codes_stay_lists_of_numbers() -> None:
    body = json.dumps({"bytes": list(KEY.encode())}).encode()
    assert json.loads(REDACTOR.body(body))["bytes"] == [0] * len(KEY)


def test_record_has_no_secret_in_any_text() -> None:
    from conformance.model import Attempt  # noqa: PLC0415 - any record does

    attempt = Attempt(0.0, 1.0, None, f"{KEY} lost", retry_after=KEY)
    assert REDACTOR.record(attempt) == Attempt(
        0.0, 1.0, None, f"{KEY_MARK} lost", retry_after=KEY_MARK
    )


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────

ALL = "".join(sorted(set(KEY + KEY.lower() + "0123456789abcdef")))
WORST = {
    "backslashes": "\\",
    "percents": "%25",
    "percents of percents": "%25%32%35",
    "escapes": "\\u005c",
    "newlines": "\\n",
    "entities": "&amp;",
    "numbers": "&#0000115;",
    "zeros": "&#0",
    "quotes": '"',
    "escaped quotes": '"\\"',
    "literals": '"a",',
    "names": '"a":"b",',
    "brackets": "[",
    "objects": '{"index":1,"text":"ab"},',
    "events": "data: a\n",
    "key but one": KEY[:-2],
    "half keys": KEY[:30],
    "full width": "ｓｋ",
    "styled": "𝐬²ſ",
    "continuations": "\x80",
}
"""What bodies repeat that take the most time."""

PROGRAM = """
import sys
from conformance.transport.redact import Redactor
key, part, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
# The characters of the key keep the quick test for them from ending the search.
body = ('"' + sys.argv[4] * 3 + '"' + part * (size // len(part))).encode()
assert Redactor(key).body(body) == body
"""


def _redact(part: str, size: int, seconds: float) -> None:
    words = [sys.executable, "-c", PROGRAM, KEY, part, str(size), ALL * 3]
    subprocess.run(words, check=True, timeout=seconds)


@pytest.mark.parametrize("kind", WORST)
def test_worst_bodies_take_seconds_at_most(kind: str) -> None:
    part = WORST[kind]
    body = (f'"{ALL * 3}"' + part * (2**18 // len(part))).encode()
    started = time.process_time()
    assert REDACTOR.body(body) is body
    # A quadratic pattern takes minutes for this.
    assert time.process_time() - started < 5


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", WORST)
def test_worst_bodies_of_8_mib_end(kind: str) -> None:
    _redact(WORST[kind], 2**23, 60)
