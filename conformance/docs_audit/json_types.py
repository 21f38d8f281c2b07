"""Types as pages write them, ``string/array`` or ``integer or null``, as JSON types."""

from __future__ import annotations

import re

_MEANS = {
    "string": "string",
    "text": "string",
    "str": "string",
    "array": "array",
    "list": "array",
    "integer": "integer",
    "int": "integer",
    "number": "number",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "bool": "boolean",
    "object": "object",
    "map": "object",
    "dict": "object",
    "null": "null",
}

_BY_TYPE = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def types_in(written: str) -> tuple[str, ...]:
    """Name the JSON types that a text names, each once; what is no type is passed over."""
    words = re.findall(r"[a-z]+", written.lower())
    return tuple(dict.fromkeys(_MEANS[word] for word in words if word in _MEANS))


def type_of(value: object) -> str:
    """Name the JSON type of a value; a whole number is an ``integer``.

    Raises:
        TypeError: JSON has no such value.
    """
    try:
        return _BY_TYPE[type(value)]
    except KeyError:
        raise TypeError(f"JSON has no {type(value).__name__}") from None


def fits(value: object, types: tuple[str, ...]) -> bool:
    """Tell whether a value is of one of the types; every integer is a number too."""
    kind = type_of(value)
    return kind in types or (kind == "integer" and "number" in types)


def overlap(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Tell whether some value is of a type of both."""

    def widened(types: tuple[str, ...]) -> set[str]:
        return {*types, *(["integer"] if "number" in types else [])}

    return bool(widened(first) & widened(second))
