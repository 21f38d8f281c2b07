"""Where a ``usage`` reports how many tokens of the prompt a cache already had; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PLACES = (
    ("prompt_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),
    ("cached_tokens",),
)
"""Paths below ``usage``, the most widespread first: OpenAI's, with vLLM and SGLang; DeepSeek's; and
that of servers which leave out the object around it."""


def stated_cached(usage: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield each stated number of cached tokens with its path; a null states none.

    Args:
        usage: the object as sent; its members may be of any type.
    """
    for path in PLACES:
        value: object = usage
        for member in path:
            value = value.get(member) if isinstance(value, Mapping) else None
        if value is not None:
            yield ".".join(("usage", *path)), value


def cached_tokens(usage: Mapping[str, Any]) -> int | None:
    """Return the number of cached tokens; None if none is stated that is an integer of at least 0.

    Servers leave the number out where nothing was cached, so None is not known to be 0.
    """
    for _, value in stated_cached(usage):
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
