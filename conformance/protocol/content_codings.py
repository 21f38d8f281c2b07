"""The content codings of a body, by RFC 9110, section 8.4; pure."""

from __future__ import annotations

from collections.abc import Iterable


def codings_of(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the codings of a body in the order in which they were applied, without ``identity``.

    Args:
        headers: the response headers; several of the same name are one list (RFC 9110, section
            5.3).
    """
    values = (value for name, value in headers if name.lower() == "content-encoding")
    tokens = (token.strip(" \t").lower() for token in ",".join(values).split(","))
    return tuple(token for token in tokens if token not in {"", "identity"})
