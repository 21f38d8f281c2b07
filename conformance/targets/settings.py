"""The keys of a target in ``conformance.toml`` and functions that validate their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from conformance.input_files import one_line
from conformance.model import RATES, TIMES, Measure, Objective, Prices, Tier
from conformance.model.balance import TOKENS
from conformance.record.validation import CURRENCY, DECIMAL
from conformance.targets.address import read_path
from conformance.targets.parsing import TypedError, is_variable, read_base_url

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BEFORE = "access|api|app|auth|bearer|client|csrf|gateway|id|my|proxy|refresh|secret|session|user|x"
_WORDS = "auth|authentication|authorization|cookie|credentials?|key|pass(?:phrase|wd|word)?|secret"
_CARRIES_SECRETS = re.compile(
    rf"(?:^|[^a-z])(?:{_BEFORE})*(?:{_WORDS}|session(?:id)?|token)(?![a-z])", re.IGNORECASE
)
"""Names that have a word for a secret: ``X-ApiKey``, but not ``X-Hotkey-Mode``."""

LARGEST = 2**63 - 1
"""The largest integer that a record holds."""

LEAST, MOST = 0.001, 86_400.0
"""Bounds of a timeout in seconds and of a rate per second. With a rate of 1e-300, the second
request would never be sent; with a timeout of 1e300 s, a run would never end."""

MAX_MODEL_CHARS = 1_000
MAX_REGION_CHARS = 100

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
"""Headers that the suite sets itself."""


def text(value: Any) -> str:
    """Validate a printable, non-empty string."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise TypedError("must be a non-empty string on one line")
    return value.strip()


def model(value: Any) -> str:
    """Validate the id of a model."""
    name = text(value)
    if len(name) > MAX_MODEL_CHARS:
        raise TypedError(f"must have at most {MAX_MODEL_CHARS:,} characters")
    return name


def region(value: Any) -> str:
    """Validate the name of the region that requests are sent from."""
    name = text(value)
    if len(name) > MAX_REGION_CHARS:
        raise TypedError(f"must have at most {MAX_REGION_CHARS} characters")
    return name


def truth(value: Any) -> bool:
    """Validate a Boolean."""
    if not isinstance(value, bool):
        raise TypedError("must be true or false, without quotes")
    return value


def whole(least: int | None = None, most: int | None = None) -> Callable[[Any], int]:
    """Return a validator for an integer within bounds, and always of at most 64 bits."""

    def take(value: Any) -> int:
        usable = isinstance(value, int) and not isinstance(value, bool)
        if not usable or not _within(value, least, most):
            raise TypedError(f"must be an integer{_bounds(least, most)}")
        return int(value)

    return take


def above_zero(value: Any) -> float:
    """Validate a number greater than zero, within :data:`LEAST` and :data:`MOST`."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    # A comparison, because an integer can be too large for a float.
    if not usable or not 0 < value < math.inf:
        raise TypedError("must be a number greater than 0")
    if not LEAST <= value <= MOST:
        raise TypedError(f"must be a number from {LEAST:g} to {MOST:g}")
    return float(value)


def tier(value: Any) -> Tier:
    """Validate the name of a tier."""
    if not isinstance(value, str) or value not in list(Tier):
        raise TypedError(f"must be one of {', '.join(tier.value for tier in Tier)}")
    return Tier(value)


def base_url(value: Any) -> str:
    """Validate and normalise a base URL."""
    return read_base_url(text(value)).url


def path(value: Any) -> str:
    """Validate the path of the endpoint on its host."""
    return read_path(text(value))


def variable(value: Any) -> str:
    """Validate the name of an environment variable; reject values that look like a key."""
    if not isinstance(value, str) or not is_variable(value, {}):
        raise TypedError(
            "must be the name of an environment variable, such as EXAMPLE_API_KEY, not the key "
            "itself (the value is not shown here)"
        )
    return value


def plain_headers(value: Any) -> Mapping[str, str]:
    """Validate headers without secrets."""
    headers = _headers(value, text)
    for name, content in headers.items():
        if _CARRIES_SECRETS.search(name) or content.lower().startswith(("bearer ", "sk-")):
            raise TypedError(
                f"must not contain the secret value of {name} (not shown here): put it into an "
                f'environment variable and use headers-env = {{"{name}" = "VARIABLE"}}'
            )
        if content.startswith("$"):
            raise TypedError(
                f"has a value for {name} that starts with $, but variables are not expanded here; "
                "use headers-env"
            )
        if not content.isascii():
            raise TypedError(f"has a non-ASCII value for {name}; headers must be ASCII")
    return headers


def secret_headers(value: Any) -> Mapping[str, str]:
    """Validate headers whose values are names of environment variables."""
    return _headers(value, variable)


def _headers(value: Any, take: Callable[[Any], str]) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise TypedError('must be a table of names and values, such as {"X-Tenant" = "acme"}')
    for name in value:
        if not _HEADER.fullmatch(name):
            raise TypedError(f"has {name!r}, which is not a valid header name")
        if name.lower() in OF_THE_SUITE:
            raise TypedError(f"has {name}, which the suite sets itself; remove it")
    if len({name.lower() for name in value}) < len(value):
        raise TypedError("has a duplicate header; header names are case-insensitive")
    taken = {}
    for name, content in value.items():
        try:
            taken[name] = take(content)
        except TypedError as error:
            raise TypedError(f"has a value for {name} that {error}") from None
    return taken


def _within(value: int, least: int | None, most: int | None) -> bool:
    least = -LARGEST if least is None else least
    return least <= value <= (LARGEST if most is None else most)


def _bounds(least: int | None, most: int | None) -> str:
    if least is None:
        return ""
    return f" of at least {least}" if most is None else f" from {least} to {most}"


def prices(value: Any) -> Prices:
    """Validate a table of prices for a million tokens.

    TOML has no decimals: a float is taken by its shortest form, which is what was typed.
    """
    if not isinstance(value, dict):
        raise TypedError(f"must be a table, such as {PRICES_EXAMPLE}, of prices per million tokens")
    if unknown := sorted(value.keys() - {"input", "output", "cached", "currency"}):
        raise TypedError(
            f"has {unknown[0]!r}; prices are input, output and cached, and the currency is a code"
        )
    if missing := [name for name in ("input", "output", "currency") if name not in value]:
        raise TypedError(f"has no {missing[0]}; input, output and currency are needed")
    currency = value["currency"]
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        raise TypedError("has a currency that is not a code of three capitals, such as USD or CNY")
    found = {name: _price(name, value[name]) for name in value if name != "currency"}
    return Prices(currency=currency, **found)


def typed_prices(typed: str) -> Prices:
    """Read prices that are typed as ``input=1.50,output=2.00,currency=USD``."""
    return prices(_pairs(typed, "input=1.50,output=2.00,currency=USD"))


def typed_balance(typed: str) -> Mapping[str, Any]:
    """Read the place of a balance, typed as ``path=/user/balance,pointer=/total,unit=USD``."""
    pairs: dict[str, Any] = _pairs(typed, "path=/user/balance,pointer=/total,unit=USD")
    if pairs.get("rises") in {"true", "false"}:
        pairs["rises"] = pairs["rises"] == "true"
    return balance(pairs)


def _pairs(typed: str, example: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in typed.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    if not all(sign for _, sign, _ in pairs) or len(set(names)) < len(names):
        raise TypedError(f"must have the form {example}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def profile(value: Any) -> tuple[str, ...]:
    """Validate one or several names of profiles."""
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise TypedError('must be the name of a client, or a list such as ["lm-eval", "tabby"]')
    return tuple(map(text, names))


def _price(name: str, value: Any) -> Decimal:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    written = format(Decimal(str(value)), "f") if is_number else value
    if not isinstance(written, str) or not DECIMAL.fullmatch(written):
        raise TypedError(
            f"has a price for {name} that is not a number of at least 0, such as 1.50, of at most "
            "9 digits before and 12 after the point"
        )
    return Decimal(written)


PRICES_EXAMPLE = '{input = 1.50, output = 2.00, currency = "USD"}'

_OF_TIME = re.compile(rf"({'|'.join(sorted(TIMES))})-p([1-9][0-9]?)")
SLO_EXAMPLE = "{ttft-p95 = 2, error-rate = 0.01, availability = 0.99, n = 4}"


def slo(value: Any) -> tuple[Objective, ...]:
    """Validate a table of objectives, such as :data:`SLO_EXAMPLE`."""
    if not isinstance(value, dict) or not value:
        raise TypedError(f"must be a table, such as {SLO_EXAMPLE}")
    return tuple(_objective(name, bound) for name, bound in value.items())


def _objective(name: str, bound: Any) -> Objective:
    timed = _OF_TIME.fullmatch(name)
    if timed is not None:
        try:
            return Objective(Measure(timed[1]), above_zero(bound), int(timed[2]))
        except TypedError as error:
            raise TypedError(f"has a {name} that {error} (seconds)") from None
    measures = {str(one): one for one in Measure if one not in TIMES}
    if name not in measures:
        names = ", ".join((*(f"{one}-p95" for one in sorted(TIMES)), *measures))
        raise TypedError(f"has {one_line(repr(name), 40)}; objectives are {names}")
    measure = measures[name]
    if measure not in RATES:
        return Objective(measure, float(_of_limit(name, bound)))
    is_number = isinstance(bound, int | float) and not isinstance(bound, bool)
    if not is_number or not 0 < bound < 1:
        raise TypedError(
            f"has a value for {name} that is not between 0 and 1, such as 0.99; no sample shows "
            "that nothing ever fails"
        )
    return Objective(measure, float(bound))


def _of_limit(name: str, bound: Any) -> int:
    try:
        return whole(1, MOST_OF_LIMIT)(bound)
    except TypedError as error:
        raise TypedError(f"has a value for {name} that {error}") from None


MOST_OF_LIMIT = 100_000_000
"""The highest value of an objective about a limit, such as the tokens of a context."""

SHARED: Mapping[str, Callable[[Any], Any]] = {
    "model": model,
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
    "prices": prices,
    "region": region,
    "slo": slo,
    "profile": profile,
}
"""Keys that are allowed in ``[defaults]`` and in targets."""


def balance(value: Any) -> Mapping[str, Any]:
    """Validate the place of a balance; the result has ``api-key-env`` instead of the key."""
    if not isinstance(value, dict):
        raise TypedError(f"must be a table, such as {BALANCE_EXAMPLE}")
    known = {"path", "pointer", "unit", "rises", "api-key-env"}
    if unknown := sorted(value.keys() - known):
        raise TypedError(f"has {unknown[0]!r}; its keys are {', '.join(sorted(known))}")
    if missing := [name for name in ("path", "pointer", "unit") if name not in value]:
        raise TypedError(f"has no {missing[0]}; write, for example, {BALANCE_EXAMPLE}")
    path, pointer, unit = (value[name] for name in ("path", "pointer", "unit"))
    if not isinstance(path, str) or not _HOST_PATH.fullmatch(path):
        raise TypedError(
            "has a path that is not one on the host of base-url, such as /user/balance"
        )
    if not isinstance(pointer, str) or not _POINTER.fullmatch(pointer):
        raise TypedError("has a pointer that is no JSON Pointer, such as /data/total_usage")
    if unit != TOKENS and not (isinstance(unit, str) and CURRENCY.fullmatch(unit)):
        raise TypedError('has a unit that is neither "tokens" nor a currency such as USD')
    truth(value.get("rises", False))
    if "api-key-env" in value:
        variable(value["api-key-env"])
    return dict(value)


_HOST_PATH = re.compile(r"/(?!/)[!-~]{0,500}")
_POINTER = re.compile(r"(?:/(?:[^/~\x00-\x1f]|~[01]){0,200}){1,20}")
BALANCE_EXAMPLE = '{path = "/user/balance", pointer = "/total_balance", unit = "USD"}'

OWN: Mapping[str, Callable[[Any], Any]] = {
    "base-url": base_url,
    "path": path,
    "api-key-env": variable,
    "headers-env": secret_headers,
    "expected": text,
    "tokenizer": text,
    "balance": balance,
}
"""Keys that are only allowed in a target, so that secrets go only to the intended host."""
