"""Which key goes to which endpoint: only one that was named for it.

``OPENAI_API_KEY`` is set in many shells. Unless the user names it, it is for OpenAI alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from conformance.model import DEFAULT_KEY_ENV

OPENAI_HOST = "api.openai.com"

TYPED_KEY_ENV = "API_KEY"
"""Stands for a key that was typed, in commands that reproduce a request."""


def default_key_env(base_url: str) -> str | None:
    """Return the variable that is meant for an endpoint without being named, or None."""
    parts = urlsplit(base_url)
    is_openai = parts.scheme == "https" and parts.netloc.lower() in {
        OPENAI_HOST,
        f"{OPENAI_HOST}:443",
    }
    return DEFAULT_KEY_ENV if is_openai else None


def why_not_sent(base_url: str, environment: Mapping[str, str], option: str) -> str | None:
    """Return a sentence if a key in the environment is not sent because nobody named it.

    Args:
        base_url: the endpoint.
        environment: the environment variables.
        option: the option that names a variable.
    """
    if default_key_env(base_url) or not environment.get(DEFAULT_KEY_ENV, "").strip():
        return None
    return (
        f"{DEFAULT_KEY_ENV} is set but not sent: without {option} it is sent only to "
        f"https://{OPENAI_HOST}; to send it here, use {option} {DEFAULT_KEY_ENV}"
    )
