"""What a user types about an endpoint, made sure of: base URL, key, names of variables.

The same on the command line and in a file, so the sentences do not say where it was typed: whoever
shows one puts ``--base-url`` or ``base-url`` before it. None of them repeats a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_LIKE = re.compile(r"(?=.*[a-z])(?=.*[0-9]).{20,}")
"""Long, with small letters and digits: keys look so, names of environment variables hardly do."""


class TypedError(ValueError):
    """Something that was typed and cannot be used; the sentence goes on after the thing's name."""


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A base URL as it will be used; ``corrected`` says in a sentence what was changed."""

    url: str
    host: str
    corrected: str | None


def read_base_url(typed: str) -> BaseUrl:
    """Make sure of a base URL, with or without a slash at its end.

    Raises:
        TypedError: it cannot be used; the sentence says what to type instead.
    """
    parts = _split(typed.strip())
    path = parts.path.rstrip("/")
    shorter = path.removesuffix("/completions").removesuffix("/chat")
    url = urlunsplit((parts.scheme, parts.netloc, shorter, "", ""))
    corrected = None
    if shorter != path:
        corrected = f"is the part before /completions: using {url}"
    return BaseUrl(url, parts.hostname or "", corrected)


def _split(typed: str) -> SplitResult:
    try:
        parts = urlsplit(typed)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise TypedError(f"{typed!r} is no URL ({error})") from None
    if parts.username is not None or parts.password is not None:
        raise TypedError(
            "holds a user name or password, which reports would repeat; "
            "leave it out and name the key's environment variable with api-key-env"
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise TypedError(
            f"{typed!r} needs http:// or https:// and a host, such as https://api.openai.com/v1"
        )
    if parts.query or parts.fragment:
        raise TypedError(f"{typed!r} has a query or a fragment; leave it out")
    if any(character.isspace() or not character.isprintable() for character in typed):
        raise TypedError(f"{typed!r} has a blank in it")
    return parts


def is_variable(name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a text can name an environment variable, and is not a key in its place."""
    looks_like_key = _KEY_LIKE.fullmatch(name) and name not in environment
    return not looks_like_key and _VARIABLE.fullmatch(name) is not None


def read_key(name: str, environment: Mapping[str, str]) -> str:
    """Take a key out of the environment; empty where the variable is not set.

    Raises:
        TypedError: the variable holds what no header could carry.
    """
    return usable_key(name, environment.get(name, ""))


def usable_key(name: str, typed: str) -> str:
    """Take a key as it was typed, without the newline that files end with.

    Raises:
        TypedError: it is something that no header could carry.
    """
    key = typed.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise TypedError(f"what {name} holds cannot be a key: it has blanks or special characters")
    return key
