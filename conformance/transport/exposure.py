"""Who can read a key on its way: everyone along a connection without TLS, and its proxy."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from conformance.model import Target
from conformance.transport.address import is_loopback


def exposure_of(target: Target) -> str | None:
    """Return a warning if the secrets of a target are sent without encryption, or None."""
    variables = [target.api_key_env] if target.api_key else []
    if target.secrets:
        values = target.shown_headers.values()
        variables += [value.removeprefix("$") for value in values if value.startswith("$")]
    return exposure(target.base_url, variables)


def exposure(base_url: str, variables: Sequence[str]) -> str | None:
    """Return a warning if variables are sent to a URL without encryption, or None.

    Args:
        base_url: the endpoint.
        variables: the environment variables whose values are sent.
    """
    parts = urlsplit(base_url)
    if not variables or parts.scheme != "http" or is_loopback(base_url):
        return None
    # Its import takes as long as two requests, and few runs need it.
    from conformance.transport.proxies import proxy_for  # noqa: PLC0415

    what = " and ".join(f"${name}" for name in variables)
    proxy = proxy_for(base_url)
    who = f"{proxy.shown} and everyone" if proxy else "everyone"
    return (
        f"warning: the connection to {parts.hostname} is not encrypted: {who} on the way can read "
        f"{what}; use https:// if the endpoint offers it"
    )
