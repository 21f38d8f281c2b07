"""Nothing that is written or printed shows a secret of the process."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import pytest

from conformance.transport import gate

KEY = 'sk-test"<&>\\0123456789abcdef'


@pytest.fixture(autouse=True)
def _secret() -> Iterator[None]:
    gate.forget_all()
    gate.remember(KEY)
    yield
    gate.forget_all()


@contextmanager
def guarded() -> Iterator[io.StringIO]:
    """Guard standard output, and yield what arrives there."""
    with redirect_stdout(io.StringIO()) as arrived, gate.guarded():
        yield arrived


def test_line_in_several_writes_is_redacted() -> None:
    with guarded() as printed:
        for part in ("key: ", KEY[:9], KEY[9:], "!\n"):
            sys.stdout.write(part)
        assert printed.getvalue() == "key: $API_KEY!\n"


def test_flush_holds_the_beginning_of_a_key() -> None:
    with guarded() as printed:
        sys.stdout.write("key: " + KEY[:9])
        sys.stdout.flush()
        assert printed.getvalue() == "key: "
        sys.stdout.write(KEY[9:])
        sys.stdout.flush()
        assert printed.getvalue() == "key: $API_KEY"


def test_progress_appears_at_a_flush() -> None:
    with guarded() as printed:
        sys.stdout.write("\r10 of 25")
        sys.stdout.flush()
        assert printed.getvalue() == "\r10 of 25"


def test_rest_is_printed_at_the_end() -> None:
    with guarded() as printed:
        sys.stdout.write("bye " + KEY[:6])
    assert printed.getvalue() == "bye " + KEY[:6]


def test_streams_have_no_way_past_the_gate() -> None:
    with gate.guarded():
        assert not hasattr(sys.stdout, "buffer")
        assert not hasattr(sys.stderr, "detach")


@pytest.mark.parametrize(
    "spelled",
    [
        "sk-test&#34;&lt;&amp;&gt;\\0123456789abcdef",
        "sk-test&quot;&lt;&amp;&gt;\\0123456789abcdef",
        'sk-test\\"<&>\\\\0123456789abcdef',
        "sk-test\\&#34;&lt;&amp;&gt;\\\\0123456789abcdef",
    ],
    ids=["HTML", "XML", "JSON", "JSON in HTML"],
)
def test_key_is_found_in_reports(spelled: str) -> None:
    assert gate.redact(f"<p>{spelled}</p>") == "<p>$API_KEY</p>"


def test_short_values_are_no_secrets() -> None:
    gate.remember("EMPTY")
    assert gate.redact("EMPTY") == "EMPTY"
