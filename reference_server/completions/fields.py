"""Readers of single fields of a request: from a JSON value to a Python value, or a 400.

Each gets the value and the name for the error. A bool is not a number here, a string of digits is
not one either, and a float is not an integer, as in the validator of the live API.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from reference_server.completions.errors import ApiError, bad_request

INT64 = (-(2**63), 2**63 - 1)

_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
}
_SPELLED_OUT = re.compile(r"true|false|-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_TOKEN_KEY = re.compile(r"0|[1-9][0-9]{0,17}")


def kind(value: Any) -> str:
    """The name of a JSON value's type in an error message."""
    return _KINDS.get(type(value), "an object")


def wrong_type(value: Any, name: str, expected: str) -> ApiError:
    """A 400 with code ``invalid_type``."""
    return bad_request(
        f"Invalid type for '{name}': expected {expected}, but got {kind(value)} instead.",
        param=name,
        code="invalid_type",
    )


def boolean(value: Any, name: str) -> bool:
    """True or false; other types are rejected."""
    if not isinstance(value, bool):
        raise wrong_type(value, name, "a boolean")
    return value


def string(value: Any, name: str) -> str:
    """A string of any length."""
    if not isinstance(value, str):
        raise wrong_type(value, name, "a string")
    return value


def integer(value: Any, name: str, low: int, high: int | None = None) -> int:
    """An integer between ``low`` and ``high``, inclusive."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(value, name, "an integer")
    _within(value, name, "integer", low, high)
    return value


def decimal(value: Any, name: str, low: float, high: float) -> float:
    """A number between ``low`` and ``high``, inclusive."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(value, name, "a decimal")
    _within(value, name, "decimal", low, high)
    return float(value)


def unquoted(value: Any) -> Any:
    """The number or boolean that a string contains as JSON; any other value unchanged."""
    if isinstance(value, str) and _SPELLED_OUT.fullmatch(value):
        return json.loads(value)
    return value


def whole(value: Any) -> Any:
    """The integer that equals a decimal without a fraction; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def members(value: Any, name: str, known: Sequence[str]) -> dict[str, Any]:
    """An object without unknown names."""
    if not isinstance(value, dict):
        raise wrong_type(value, name, "an object")
    for key in value:
        if key not in known:
            raise bad_request(
                f"Unknown parameter: '{name}.{key[:100]}'.",
                param=f"{name}.{key[:100]}",
                code="unknown_parameter",
            )
    return value


def stop_sequences(value: Any, name: str, limit: int, length: int) -> tuple[str, ...]:
    """One sequence or an array of up to ``limit``, of up to ``length`` characters each.

    Empty ones are removed, because they have no effect.
    """
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise wrong_type(value, name, "a string or an array of strings")
    at_most(value, name, limit)
    for place, item in enumerate(value):
        if len(string(item, f"{name}[{place}]")) > length:
            raise bad_request(
                f"Invalid '{name}[{place}]': string too long. Expected a string with maximum "
                f"length {length}, but got a string with length {len(item)} instead.",
                param=name,
                code="string_above_max_length",
            )
    return tuple(dict.fromkeys(item for item in value if item))


def token_bias(value: Any, name: str, low: float, high: float) -> tuple[tuple[int, float], ...]:
    """Pairs of token id and bias from an object whose names are token ids."""
    if not isinstance(value, dict):
        raise wrong_type(value, name, "an object")
    pairs = []
    for key, bias in value.items():
        if not _TOKEN_KEY.fullmatch(key):
            raise bad_request(
                f"Invalid key in '{name}': {key[:100]!r}. Expected a token id.",
                param=name,
                code="invalid_key",
            )
        pairs.append((int(key), decimal(bias, f"{name}.{key}", low, high)))
    return tuple(pairs)


def bias_pairs(
    value: list[Any], name: str, low: float, high: float
) -> tuple[tuple[int, float], ...]:
    """Pairs of token id and bias from an array of such pairs; false as a bias bans the token."""
    pairs = []
    for place, pair in enumerate(value):
        here = f"{name}[{place}]"
        if not isinstance(pair, list) or len(pair) != 2:
            raise wrong_type(pair, here, "a pair of token id and bias")
        token = integer(pair[0], here, 0)
        pairs.append((token, -math.inf if pair[1] is False else decimal(pair[1], here, low, high)))
    return tuple(pairs)


def at_most(items: list[Any], name: str, limit: int) -> None:
    """Reject an array of more than ``limit`` items."""
    if len(items) > limit:
        raise bad_request(
            f"Invalid '{name}': array too long. Expected an array with maximum length {limit}, "
            f"but got an array with length {len(items)} instead.",
            param=name,
            code="array_above_max_length",
        )


def at_least_one(items: list[Any], name: str) -> None:
    """Reject an empty array."""
    if not items:
        raise bad_request(
            f"Invalid '{name}': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            param=name,
            code="empty_array",
        )


def _within(value: float, name: str, sort: str, low: float, high: float | None) -> None:
    if value < low:
        problem, expected, code = "below minimum", f">= {low}", f"{sort}_below_min_value"
    elif high is not None and value > high:
        problem, expected, code = "above maximum", f"<= {high}", f"{sort}_above_max_value"
    else:
        return
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    if len(shown) > 40:
        shown = f"a number of {len(shown)} digits"
    raise bad_request(
        f"Invalid '{name}': {sort} {problem} value. Expected a value {expected}, "
        f"but got {shown} instead.",
        param=name,
        code=code,
    )
