"""Validate settings of an endpoint: base URL, key, names of variables.

The command line and the targets file share these functions; the caller prefixes messages with
``--base-url`` or ``base-url``. No message repeats a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from conformance.transport import gate

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_LIKE = re.compile(r"(?=.*[a-z])(?=.*[0-9]).{20,}")
"""Text that looks like a key: at least 20 characters with lower-case letters and digits."""

MOST_KEY_CHARS = 8_000
"""Maximum characters of a key; servers accept about as many bytes of headers."""


class TypedError(ValueError):
    """An invalid setting; the message follows the setting's name."""


class LongKeyError(TypedError):
    """A key that no server would accept."""


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A normalised base URL; ``corrected`` describes a correction, or is None."""

    url: str
    host: str
    corrected: str | None


def read_base_url(typed: str) -> BaseUrl:
    """Parse and normalise a base URL.

    Raises:
        TypedError: the URL is unusable; the message says what to type instead.
    """
    parts = _split(typed.strip())
    path = parts.path.rstrip("/")
    shorter = path.removesuffix("/completions").removesuffix("/chat")
    url = urlunsplit((parts.scheme, parts.netloc, shorter, "", ""))
    corrected = None
    if shorter != path:
        corrected = f"should end before /completions; using {url}"
    return BaseUrl(url, parts.hostname or "", corrected)


def _split(typed: str) -> SplitResult:
    try:
        parts = urlsplit(typed)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise TypedError(f"{typed!r} is not a URL ({error})") from None
    if parts.username is not None or parts.password is not None:
        raise TypedError(
            "must not contain a user name or password, which reports would show; name the "
            "environment variable that holds the key with api-key-env"
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise TypedError(
            f"{typed!r} needs http:// or https:// and a host, such as https://api.openai.com/v1"
        )
    if parts.query or parts.fragment:
        # It is not repeated, since some endpoints take their key there.
        shown = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        raise TypedError(f"must not have a query or fragment; use {shown!r}")
    if any(character.isspace() or not character.isprintable() for character in typed):
        raise TypedError(f"{typed!r} must not contain blanks")
    return parts


def is_variable(name: str, environment: Mapping[str, str]) -> bool:
    """Return whether a text is the name of an environment variable and not a key."""
    looks_like_key = _KEY_LIKE.fullmatch(name) and name not in environment
    return not looks_like_key and _VARIABLE.fullmatch(name) is not None


def read_key(name: str, environment: Mapping[str, str]) -> str:
    """Read a key from the environment; empty if the variable is not set.

    Raises:
        TypedError: the value cannot be sent in a header.
    """
    return usable_key(name, environment.get(name, ""))


def usable_key(name: str, typed: str) -> str:
    """Validate a key and strip surrounding white space.

    Raises:
        TypedError: the value cannot be sent in a header.
    """
    key = typed.strip()
    if len(key) > MOST_KEY_CHARS:
        raise LongKeyError(
            f"the value of {name} is not a valid key: it has more than {MOST_KEY_CHARS} characters"
        )
    # Also if it is none: an error of a library could show it.
    gate.remember(key)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise TypedError(
            f"the value of {name} is not a valid key: it contains blanks or special characters"
        )
    return key
