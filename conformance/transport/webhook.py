"""Post a JSON body to a webhook: once, without redirects, and with a bounded answer."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from conformance import __version__
from conformance.transport.address import is_loopback

SECONDS = 15.0
"""Timeout of connecting, and of each read."""

MOST_BYTES = 65_536
"""Bytes of an answer that are read; what services say is shorter."""


class WebhookError(Exception):
    """A webhook cannot be reached; the message has no part of its URL, which is a secret."""


class Answer(NamedTuple):
    """What a webhook answered; the body may be cut."""

    status: int
    body: bytes


def is_safe(url: str) -> bool:
    """Return whether a URL is one that only its host can read: HTTPS, or this machine."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        return False
    if not parts.host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


async def post(url: str, body: bytes) -> Answer:
    """Send a body.

    Raises:
        WebhookError: there was no answer.
    """
    headers = {"content-type": "application/json", "user-agent": f"conformance/{__version__}"}
    try:
        async with (
            httpx.AsyncClient(timeout=SECONDS, trust_env=not is_loopback(url)) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            got = b""
            async for chunk in response.aiter_bytes(4_096):
                got += chunk
                if len(got) >= MOST_BYTES:
                    break
            return Answer(response.status_code, got[:MOST_BYTES])
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise WebhookError(f"no answer ({type(error).__name__})") from None
