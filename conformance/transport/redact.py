r"""Redact the API key and other secrets from everything that is recorded, by value.

An endpoint can show the key in an error message, a header or a debug page, and records are shared.
The key is found verbatim, JSON-escaped (``\u0073k``, ``\/``), URL-encoded (``%73k``), in any
mixture of these, and inside base64 at any alignment, as in ``Basic`` credentials.

A body is redacted as a whole, so a key that is split between two reads is found as well.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Self

from conformance.model import Arrival, Target

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
        kinds = (("key", [key or ""]), ("other", others))
        forms = [
            b"(?P<%s>%s)" % (kind.encode(), b"|".join(_forms_of(secret) for secret in secrets))
            for kind, known in kinds
            if (secrets := [secret for secret in known if len(secret) >= MIN_SECRET_CHARS])
        ]
        self._pattern = re.compile(b"|".join(forms)) if forms else None

    @classmethod
    def of(cls, target: Target, others: Sequence[str] = ()) -> Self:
        """Return a redactor for the secrets of a target and ``others``."""
        return cls(target.api_key, (*target.secrets, *others))

    def text(self, text: str) -> str:
        """Redact a text."""
        if self._pattern is None:
            return text
        raw = text.encode("utf-8", errors="surrogatepass")
        return self.body(raw).decode("utf-8", errors="surrogatepass")

    def body(self, body: bytes) -> bytes:
        """Redact raw bytes."""
        return self._pattern.sub(_mark, body) if self._pattern else body

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
        found = list(self._pattern.finditer(body)) if self._pattern else []
        if not found:
            return body, tuple(arrivals)
        moved: list[Arrival] = []
        read = shown = 0
        for arrival in arrivals:
            read += arrival.size
            end = _moved(read, found)
            moved.append(Arrival(arrival.at, end - shown))
            shown = end
        return self.body(body), tuple(moved)


def _mark(found: re.Match[bytes]) -> bytes:
    """Return the replacement for a match."""
    return (KEY_MARK if found.lastgroup == "key" else NAMED_MARK).encode()


def _moved(offset: int, found: Sequence[re.Match[bytes]]) -> int:
    """Return the offset after the replacement of all secrets before or around it."""
    shift = 0
    for secret in found:
        if secret.start() >= offset:
            break
        shift += len(_mark(secret)) - (min(secret.end(), offset) - secret.start())
    return offset + shift


def _forms_of(key: str) -> bytes:
    spelled = b"".join(_spellings(character) for character in key)
    return b"|".join([spelled, *_base64_forms(key.encode())])


def _spellings(character: str) -> bytes:
    r"""Match one character as it is, escaped in JSON (also twice over), or URL-encoded."""
    raw = character.encode()
    units = character.encode("utf-16-be")
    escaped = b"".join(
        rb"\\+u" + _any_case(units[i : i + 2].hex()) for i in range(0, len(units), 2)
    )
    percent = b"".join(b"%(?:25)*" + _any_case(f"{byte:02x}") for byte in raw)
    # JSON may put a backslash before these, and must before two of them.
    literal = (rb"\\*" if character in '"\\/' else b"") + re.escape(raw)
    return b"(?:" + b"|".join([literal, escaped, percent]) + b")"


def _any_case(digits: str) -> bytes:
    return b"".join(f"[{d}{d.upper()}]".encode() if d.isalpha() else d.encode() for d in digits)


def _base64_forms(raw: bytes) -> list[bytes]:
    """Match the key inside base64 at each of the three alignments, in both alphabets.

    Characters at the edges, which mix bits of the key with bits of its neighbours, match as well.
    """
    forms = []
    for before in range(3):
        padded = base64.b64encode(b"\0" * before + raw)
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        core = padded[first:last].replace(b"+", b"(?:[+-]|%2[Bb])")
        core = core.replace(b"/", rb"(?:\\*[/_]|%2[Ff])")
        edge = b"[A-Za-z0-9+/_-]"
        forms.append((edge if before else b"") + core + edge + b"{0,1}={0,2}")
    return forms
