"""Who can read a key on its way: everyone along a connection without TLS, and its proxy."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from conformance.model import Target
from conformance.transport.address import is_loopback, without_login


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
    what = " and ".join(f"${name}" for name in variables)
    proxy = proxy_of(base_url)
    who = f"the proxy {proxy} and everyone" if proxy else "everyone"
    return (
        f"warning: the connection to {parts.hostname} is not encrypted: {who} on the way can read "
        f"{what}; use https:// if the endpoint offers it"
    )


def proxy_of(base_url: str) -> str | None:
    """Return the proxy in the environment that requests to a URL go through, without its login."""
    # Its import takes as long as two requests, and few runs need it.
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_loopback(base_url) or proxy_bypass(parts.netloc):
        return None
    return without_login(proxy if "://" in proxy else f"http://{proxy}")
