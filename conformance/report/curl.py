"""A curl command that reproduces a request; everything in it is quoted.

The key is read from the environment, so that a report can be shared; without a key the command
sends none. A body with control characters, bidirectional text or invalid UTF-8 is piped through
``printf`` with those bytes in octal, which any POSIX shell understands, and so is a long body that
repeats itself, written as a repetition.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from urllib.parse import quote

from conformance.model import DEFAULT_KEY_ENV, WRONG_KEY, Credentials, Request
from conformance.report.repetition import pieces_of
from conformance.report.sanitize import line

MAX_BODY_CHARS = 8_000
"""Maximum characters of a body as it is written in a command; longer ones are only in the record.
"""


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


_HEADER = re.compile(r"[A-Za-z0-9_.-]+")
NONE: Mapping[str, str] = {}


def curl(
    request: Request, base_url: str, key_env: str | None, headers: Mapping[str, str] = NONE
) -> str | None:
    """Return the command, or None if the body is too long.

    Args:
        request: the request.
        base_url: the endpoint's base URL; its query (``?api-version=…``) stays at the end.
        key_env: the environment variable that holds the key, or None if no key was sent.
        headers: headers of every request; ``$NAME`` is read from the environment.
    """
    before, data = _body(request)
    if len(before) + len(data) > MAX_BODY_CHARS:
        return None
    words = ["curl", "-sS", "-i"]
    if request.read_events is not None or b'"stream":true' in request.body.replace(b" ", b""):
        words.append("-N")
    # By itself, curl sends GET without data and POST with it.
    if request.method != ("POST" if data else "GET"):
        words += ["-X", _quoted(request.method)]
    url = url_of(base_url, request.path)
    if any(mark in url for mark in "[]{}"):
        words.append("--globoff")
    words.append(_quoted(url))
    parts = [" ".join(words)]
    authorization = _authorization(request, key_env)
    if authorization:
        parts.append(f"-H {authorization}")
    named = {name.lower() for name, _ in request.headers}
    if data and "content-type" not in named:
        # Without a value, curl does not send its own one of a form.
        kind = "Content-Type: application/json" if request.body else "Content-Type:"
        parts.append(f"-H '{kind}'")
    for name, value in headers.items():
        if name.lower() not in named:
            parts.append(f"-H {_header(name, value)}")
    parts += [f"-H {_quoted(f'{name}: {value}')}" for name, value in request.headers if value]
    if data:
        parts.append(data)
    return before + " \\\n  ".join(parts)


def url_of(base_url: str, path: str) -> str:
    """Append a path to a base URL, before its query; encode what no path may contain."""
    base, mark, query = base_url.partition("?")
    encoded = quote(path, safe="/%:@!$&'()*+,;=?")
    return f"{base.rstrip('/')}{encoded}{mark}{query}"


def key_variable(request: Request, key_env: str | None) -> str | None:
    """Return the variable that the command reads the key from; None if it sends no key."""
    if request.credentials is not Credentials.OWN or key_env is None:
        return None
    return safe_name(key_env)


def safe_name(key_env: str) -> str:
    """Return the variable's name, or the default if it is not a valid name.

    Records are untrusted, and the name is used in a shell command.
    """
    return key_env if _VARIABLE.fullmatch(key_env) else DEFAULT_KEY_ENV


def variable_in(value: str) -> str | None:
    """Return the variable that holds a header's secret value; None if it is not secret."""
    name = value.removeprefix("$")
    return name if name != value and _VARIABLE.fullmatch(name) else None


def _header(name: str, value: str) -> str:
    # Double quotes allow expansion, so only plain names are written in them.
    if variable_in(value) and _HEADER.fullmatch(name):
        return f'"{name}: {value}"'
    return _quoted(f"{name}: {value}")


def _authorization(request: Request, key_env: str | None) -> str | None:
    match request.credentials:
        case Credentials.OWN if name := key_variable(request, key_env):
            return f'"Authorization: Bearer ${name}"'
        case Credentials.WRONG:
            return shlex.quote(f"Authorization: Bearer {WRONG_KEY}")
        case Credentials.OWN | Credentials.NONE:
            return None


def _quoted(text: str) -> str:
    return shlex.quote(line(text))


def _body(request: Request) -> tuple[str, str]:
    """Return what stands before ``curl``, and its option for the body; empty without one."""
    body = request.body
    if not body:
        # Without the option, curl would send no Content-Length, which these methods need.
        return "", "--data-raw ''" if request.method in {"POST", "PUT", "PATCH"} else ""
    # Any bytes are text in Latin-1.
    encoding = "latin-1" if _text(body) is None else "utf-8"
    pieces = [(text.encode(encoding), times) for text, times in pieces_of(body.decode(encoding))]
    plain = _plain(body)
    if plain is not None and pieces == [(body, 1)]:
        # --data-raw, because --data reads a file if the body starts with @.
        return "", f"--data-raw {shlex.quote(plain)}"
    printed = [_printf(*piece) for piece in pieces]
    piped = printed[0] if len(printed) == 1 else f"{{ {'; '.join(printed)}; }}"
    return f"{piped} | ", "--data-binary @-"


def _printf(part: bytes, times: int) -> str:
    """Return a command that prints a part of a body so many times."""
    if times > 1:
        # The format is used once per argument, and ``%.0s`` prints nothing of it.
        return f"printf {_octal(part, end='%.0s')} $(seq {times})"
    plain = _plain(part)
    return f"printf {_octal(part)}" if plain is None else f"printf '%s' {shlex.quote(plain)}"


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _plain(body: bytes) -> str | None:
    """Return the body as text if it is displayed exactly as sent, otherwise None."""
    text = _text(body)
    return text if text is not None and line(text) == text else None


def _octal(body: bytes, end: str = "") -> str:
    """Write bytes as a quoted ``printf`` format, non-printable ones in octal."""
    special = {ord("%"): "%%", ord("\\"): "\\\\"}
    written = "".join(
        special.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
        for byte in body
    )
    if written.startswith("-"):
        # Otherwise it would be read as an option.
        written = f"\\055{written[1:]}"
    return shlex.quote(written + end)
