"""The curl command of an exchange, run by a real shell with a stand-in for curl."""

import json
import subprocess
from pathlib import Path

import pytest

from conformance.model import Credentials, Request
from conformance.report.curl import MAX_BODY_CHARS, curl, url_of
from conformance.transport.address import join

BASE = "https://api.example.com/v1"

STAND_IN = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done > "$SEEN/words"
cat > "$SEEN/stdin"
"""


def a_request(body: bytes = b'{"prompt":"1, 2,"}', **changes: object) -> Request:
    return Request(**{"method": "POST", "path": "/completions", "body": body, **changes})


@pytest.fixture
def pasted(tmp_path: Path):
    """Paste a command into a shell where ``curl`` only notes what it was given."""
    stand_in = tmp_path / "curl"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)

    def paste(command: str | None, shell: str = "/bin/sh") -> tuple[list[str], bytes]:
        assert command is not None
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SEEN": str(tmp_path), "KEY": "sk-1"}
        subprocess.run(
            [shell, "-c", command], env=environment, stdin=subprocess.DEVNULL, check=True
        )
        words = (tmp_path / "words").read_text().split("\n")
        return words, (tmp_path / "stdin").read_bytes()

    return paste


def test_command_reads_the_key_from_the_environment(pasted) -> None:
    words, _ = pasted(curl(a_request(), BASE, "KEY"))
    assert "Authorization: Bearer sk-1" in words
    assert f"{BASE}/completions" in words
    assert '{"prompt":"1, 2,"}' in words


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt":"it\'s $(touch pwned) `id` \\"x\\" !"}',
        '{"prompt":"一二三 🍎"}'.encode(),
        b"@/etc/passwd",
    ],
)
def test_plain_text_body_is_sent_unchanged(pasted, body: bytes) -> None:
    words, _ = pasted(curl(a_request(body), BASE, "KEY"))
    assert words[words.index("--data-raw") + 1] == body.decode()


@pytest.mark.parametrize(
    "body", [b'{"prompt":"\xff\xfe"}', b"nul\x00 100% \\n 'quoted'\n", "\u202eback".encode()]
)
def test_ambiguous_body_is_piped_in_octal(pasted, body: bytes) -> None:
    command = curl(a_request(body), BASE, "KEY")
    assert command is not None
    assert command.isascii()
    words, piped = pasted(command)
    assert "--data-binary" in words
    assert piped == body


def test_keyless_request_sends_no_key() -> None:
    command = curl(a_request(credentials=Credentials.NONE), BASE, "KEY")
    assert command is not None
    assert "Authorization" not in command


def test_keyless_run_sends_no_key() -> None:
    command = curl(a_request(), BASE, None)
    assert command is not None
    assert "Authorization" not in command


def test_hostile_variable_name_reaches_no_shell() -> None:
    command = curl(a_request(), BASE, 'X"; touch pwned; "')
    assert command is not None
    assert "pwned" not in command
    assert 'Bearer $OPENAI_API_KEY"' in command


def test_request_with_a_wrong_key_names_it() -> None:
    command = curl(a_request(credentials=Credentials.WRONG), BASE, "KEY")
    assert command is not None
    assert "Bearer sk-conformance-this-key-was-never-issued" in command


def test_empty_header_is_left_out() -> None:
    request = a_request(credentials=Credentials.NONE, headers=(("X-Api-Key", ""),))
    headers = {"X-Api-Key": "$THEIR_KEY"}
    assert "X-Api-Key" not in (curl(request, BASE, None, headers) or "")


def test_streams_are_unbuffered_and_other_methods_named() -> None:
    stream = curl(a_request(b'{"stream": true}'), BASE, "KEY")
    listing = curl(Request("GET", "/models"), BASE, "KEY")
    deletion = curl(Request("DELETE", "/models/m"), BASE, "KEY")
    assert stream is not None
    assert " -N " in stream
    assert listing is not None
    assert not any(word in listing for word in ("-X", "--data"))
    assert deletion is not None
    assert "-X DELETE" in deletion


def test_hostile_base_url_is_one_quoted_word(pasted) -> None:
    words, _ = pasted(curl(a_request(), "https://x/$(touch pwned)';id", "KEY"))
    assert "https://x/$(touch pwned)';id/completions" in words


NUMBERS = ",".join(map(str, range(MAX_BODY_CHARS)))


def test_overlong_body_has_no_command() -> None:
    assert curl(a_request(NUMBERS.encode()), BASE, "KEY") is None


@pytest.mark.parametrize(
    "text", [" 1", "一", "100% ", "it's\\ ", "-", "\u202e", "ab\n", "\x00", "1,", "x", "$(id)`!"]
)
@pytest.mark.parametrize("shell", ["/bin/sh", "bash"])
def test_repetition_is_written_as_such(pasted, text: str, shell: str) -> None:
    body = f'{{"model":"m","prompt":"{text * 40_000}","max_tokens":1}}'.encode()
    command = curl(a_request(body), BASE, "KEY")
    assert command is not None
    assert len(command) < 500
    _, piped = pasted(command, shell)
    assert piped == body


def test_two_repetitions_are_written_as_such(pasted) -> None:
    body = json.dumps({"prompt": ["a " * 9_000, "b " * 7_000]}).encode()
    command = curl(a_request(body), BASE, "KEY")
    assert command is not None
    assert pasted(command)[1] == body


def test_empty_body_is_posted_without_a_type(pasted) -> None:
    words, _ = pasted(curl(a_request(b""), BASE, "KEY"))
    assert words[words.index("--data-raw") + 1] == ""
    assert "Content-Type:" in words
    assert "-X" not in words


def test_query_stays_at_the_end(pasted) -> None:
    base = "http://[::1]:8000/v1/?api-version={2}&x=1"
    words, _ = pasted(curl(a_request(), base, "KEY"))
    assert "http://[::1]:8000/v1/completions?api-version={2}&x=1" in words
    assert "--globoff" in words
    assert url_of(base, "/completions") == join(base, "/completions")


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (("X-Tenant", "acme"), "X-Tenant: acme"),
        (("X-Gateway", "$KEY"), "X-Gateway: sk-1"),
        (("X-Odd", "$(id)"), "X-Odd: $(id)"),
        (("X-Odd", "$KEY$(id)"), "X-Odd: $KEY$(id)"),
        (("X-$(id)", "$KEY"), "X-$(id): $KEY"),
        (("X-\"'`id`", "a 'b'"), "X-\"'`id`: a 'b'"),
    ],
)
def test_headers_of_the_run_are_sent(pasted, header: tuple[str, str], sent: str) -> None:
    words, _ = pasted(curl(a_request(), BASE, None, dict([header])))
    assert sent in words


def test_request_headers_override_headers_of_the_run(pasted) -> None:
    request = a_request(headers=(("content-type", "text/plain"),))
    words, _ = pasted(curl(request, BASE, None, {"Content-Type": "text/csv"}))
    assert [word for word in words if word.lower().startswith("content-type")] == [
        "content-type: text/plain"
    ]
