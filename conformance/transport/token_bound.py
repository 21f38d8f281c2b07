"""How many tokens a request can cost at most; pure.

A text has at most as many tokens as UTF-8 bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.model import Request

FALLBACK_TOKENS = 16
"""Tokens assumed for a request without ``max_tokens`` if the contract states no default."""

FILL_IN_MARKERS = 4
"""Control tokens of a fill-in-the-middle prompt: prefix, suffix, middle and beginning."""


def upper_bound(request: Request, default_tokens: int | None = FALLBACK_TOKENS) -> int:
    """Return the maximum number of tokens of a request, prompts and choices together.

    A request with ``read_events`` counts one token per event.

    Args:
        request: the request; one whose body is not a JSON object costs nothing.
        default_tokens: the contract's default of ``max_tokens``; None if it has none.
    """
    return sum(bounds(request, default_tokens))


def bounds(request: Request, default_tokens: int | None = FALLBACK_TOKENS) -> tuple[int, int]:
    """Return the two parts of :func:`upper_bound`: those of prompts and those of choices."""
    body = json_object(request)
    if body is None:
        return 0, 0
    prompts = prompt_sizes(body)
    suffix = body.get("suffix")
    around = 1 if suffix is None else FILL_IN_MARKERS + _bytes(str(suffix))
    read = sum(prompts) + around * len(prompts)
    return read, written_tokens(body, request.read_events, default_tokens)


def json_object(request: Request) -> Mapping[str, Any] | None:
    """Return the body of a request, or None if it is not a JSON object."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def written_tokens(
    body: Mapping[str, Any], read_events: int | None, default_tokens: int | None
) -> int:
    """Return the maximum number of tokens that a request lets the endpoint generate."""
    fallback = FALLBACK_TOKENS if default_tokens is None else default_tokens
    choices = choices_of_a_prompt(body) * len(prompt_sizes(body))
    written = count(body.get("max_tokens"), fallback) * choices
    if read_events is None:
        return written
    # The number of events also bounds a request without max_tokens and without a default.
    has_limit = "max_tokens" in body or default_tokens is not None
    return min(written, read_events) if has_limit else read_events


def choices_of_a_prompt(body: Mapping[str, Any]) -> int:
    """Return how many choices are generated for each prompt."""
    return max(count(body.get("n"), 1), count(body.get("best_of"), 1))


def prompt_sizes(body: Mapping[str, Any]) -> list[int]:
    """Return the maximum tokens of each prompt; a flat array of integers is one prompt."""
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return [_bytes(prompt)]
    if not isinstance(prompt, list) or not prompt:
        return [0]
    if not any(isinstance(part, str | list) for part in prompt):
        return [len(prompt)]
    return [
        _bytes(p) if isinstance(p, str) else len(p) if isinstance(p, list) else 1 for p in prompt
    ]


def count(value: object, otherwise: int) -> int:
    """Return a natural number, or ``otherwise`` for any other value."""
    usable = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if usable and isinstance(value, int) else otherwise


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogatepass"))
