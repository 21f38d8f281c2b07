"""The keys that a target may have in ``conformance.toml``, and what each of them takes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from conformance.model import Tier
from conformance.targets.typed import TypedError, is_variable, read_base_url

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CARRIES_SECRETS = re.compile(r"auth|cookie|key|passw|secret|session|token", re.IGNORECASE)

OF_THE_SUITE = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that decide how a request is carried, which is what is being judged."""


def text(value: Any) -> str:
    """Take a text that can be shown and sent."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise TypedError("has to be a text, on one line and not empty")
    return value.strip()


def truth(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise TypedError("has to be true or false, without quotes")
    return value


def whole(least: int | None = None, most: int | None = None) -> Callable[[Any], int]:
    """Take a whole number within bounds."""

    def take(value: Any) -> int:
        usable = isinstance(value, int) and not isinstance(value, bool)
        if not usable or not _within(value, least, most):
            raise TypedError(f"has to be a whole number{_bounds(least, most)}")
        return int(value)

    return take


def above_zero(value: Any) -> float:
    """Take a finite number above zero."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    if not usable or not (math.isfinite(value) and value > 0):
        raise TypedError("has to be a number above 0")
    return float(value)


def tier(value: Any) -> Tier:
    """Take the name of a tier."""
    if value not in list(Tier):
        raise TypedError(f"has to be one of {', '.join(tier.value for tier in Tier)}")
    return Tier(value)


def base_url(value: Any) -> str:
    """Take a base URL, with or without the path of the endpoint."""
    return read_base_url(text(value)).url


def variable(value: Any) -> str:
    """Take the name of an environment variable, and never the key itself."""
    if not isinstance(value, str) or not is_variable(value, {}):
        raise TypedError(
            "has to name an environment variable, such as EXAMPLE_API_KEY, and never be the key "
            "itself (what was given is not repeated here)"
        )
    return value


def plain_headers(value: Any) -> Mapping[str, str]:
    """Take headers that everybody may see."""
    headers = _headers(value, text)
    for name, content in headers.items():
        if _CARRIES_SECRETS.search(name) or content.lower().startswith(("bearer ", "sk-")):
            raise TypedError(
                f"must not hold the secret of {name} (what was given is not repeated here): put "
                f'it into an environment variable and name that, headers-env = {{"{name}" = '
                '"VARIABLE"}'
            )
        if content.startswith("$"):
            raise TypedError(
                f"has a value for {name} that begins with $, and nothing is filled in here: name "
                "the variable in headers-env"
            )
        if not content.isascii():
            raise TypedError(f"has a value for {name} that no header can carry: use ASCII")
    return headers


def secret_headers(value: Any) -> Mapping[str, str]:
    """Take headers whose values the environment holds."""
    return _headers(value, variable)


def _headers(value: Any, take: Callable[[Any], str]) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise TypedError('has to be a table of names and values, such as {"X-Tenant" = "acme"}')
    for name in value:
        if not _HEADER.fullmatch(name):
            raise TypedError(f"has {name!r}, which cannot be the name of a header")
        if name.lower() in OF_THE_SUITE:
            raise TypedError(f"has {name}, which decides how requests are carried: leave it out")
    if len({name.lower() for name in value}) < len(value):
        raise TypedError("has one header twice: names of headers do not differ by their case")
    taken = {}
    for name, content in value.items():
        try:
            taken[name] = take(content)
        except TypedError as error:
            raise TypedError(f"has a value for {name} that {error}") from None
    return taken


def _within(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(least: int | None, most: int | None) -> str:
    if least is None:
        return ""
    return f" of at least {least}" if most is None else f" from {least} to {most}"


SHARED: Mapping[str, Callable[[Any], Any]] = {
    "model": text,
    "contract": text,
    "tier": tier,
    "strict": truth,
    "max-requests": whole(1),
    "max-spend-tokens": whole(1),
    "concurrency": whole(1, 1000),
    "rate": above_zero,
    "timeout": above_zero,
    "seed": whole(),
    "headers": plain_headers,
}
"""What ``[defaults]`` may say for all targets."""

OWN: Mapping[str, Callable[[Any], Any]] = {
    "base-url": base_url,
    "api-key-env": variable,
    "headers-env": secret_headers,
}
"""What each target has to say for itself: a secret goes to nobody but to whom it was meant for."""
