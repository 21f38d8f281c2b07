"""Validate, join and display base URLs; pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit

from conformance.message import Message, say


def trouble_with(url: str) -> Message | None:
    """Return why a base URL is unusable, in one sentence; None if it is usable."""
    try:
        parts = urlsplit(url)
        named = (parts.hostname, parts.port)
    except ValueError as error:
        return say(
            "the base URL {url} is invalid: {error}",
            url=repr(without_login(url)),
            error=str(error),
        )
    if parts.username is not None or parts.password is not None:
        # httpx would send it instead of the key, and every transport error would record it.
        return say(
            "the base URL {url} must not contain a user name or password;"
            " pass the key with api-key-env",
            url=without_login(url),
        )
    if parts.scheme not in {"http", "https"}:
        return say("the base URL {url} must begin with http:// or https://", url=repr(url))
    return None if named[0] else say("the base URL {url} has no host", url=repr(url))


def without_login(url: str) -> str:
    """Remove the user name and password from a URL, so that it can be shown and recorded."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def join(base_url: str, path: str) -> str:
    """Append a path to a base URL, whose query (``?api-version=…``) stays at the end."""
    base, mark, query = base_url.partition("?")
    return f"{base.rstrip('/')}{path}{mark}{query}"


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is ``localhost`` or a loopback address."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
