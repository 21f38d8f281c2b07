"""Parse types as pages write them, such as ``string/array``, into JSON types."""

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
    """Return the JSON types that a text names, each once; other words are ignored."""
    words = re.findall(r"[a-z]+", written.lower())
    return tuple(dict.fromkeys(_MEANS[word] for word in words if word in _MEANS))


def type_of(value: object) -> str:
    """Return the JSON type of a value; an ``int`` is an ``integer``, a ``float`` a ``number``.

    Raises:
        TypeError: JSON has no such value.
    """
    try:
        return _BY_TYPE[type(value)]
    except KeyError:
        raise TypeError(f"JSON has no {type(value).__name__}") from None


def fits(value: object, types: tuple[str, ...]) -> bool:
    """Return whether a value has one of the types; every integer is also a number."""
    kind = type_of(value)
    return kind in types or (kind == "integer" and "number" in types)


def overlap(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Return whether some value has a type of both."""

    def widened(types: tuple[str, ...]) -> set[str]:
        return {*types, *(["integer"] if "number" in types else [])}

    return bool(widened(first) & widened(second))
