"""Say in one sentence what is wrong in a profile file, in place of a validator's own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from conformance.input_files import one_line

MAX_VALUE_CHARS = 60

_TYPES: Mapping[str, str] = {
    "string": "a text in quotes",
    "integer": "a whole number",
    "object": "a table of names and values",
    "array": "a list",
}

_NAMES = "a name of small letters, digits and single hyphens, such as my-client"
_PATTERNS: Mapping[str, str] = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": _NAMES,
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date in quotes, such as '2026-12-01'",
}


def mistake_of(errors: Iterable[ValidationError]) -> str | None:
    """Return the gravest violation of the schema of profiles, or None if there is none.

    It is a sentence that begins with its place.
    """
    found = best_match(errors)
    if found is None:
        return None
    error: ValidationError = found
    while isinstance(error.parent, ValidationError):  # one of several ways, none of which is meant
        error = error.parent
    place = error.json_path.removeprefix("$").removeprefix(".")
    sentence = _sentence(error)
    return f"{place} {sentence}" if place else f"the file {sentence}"


def _sentence(error: ValidationError) -> str:
    if "propertyNames" in error.schema_path:
        return f"has the name {_shown(error.instance)}, which has to be {_NAMES}"
    said = _SAID.get(str(error.validator))
    if said is not None:
        return said(error)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        instance: Any = error.instance
        name = next((str(key) for key in instance if key not in known), "")
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"has {_shown(name)}, which a profile does not have there; {hint}"
    return "needs either shown_by, which may have checks beside it, or requirements, and not both"


def _missing(error: ValidationError) -> str:
    needed: Any = error.validator_value
    instance: Any = error.instance
    return f"has no {next(name for name in needed if name not in instance)}"


_SAID: Mapping[str, Callable[[ValidationError], str]] = {
    "type": lambda e: f"has to be {_TYPES[str(e.validator_value)]}, and is {_shown(e.instance)}",
    "required": _missing,
    "pattern": lambda e: (
        f"has to be {_PATTERNS[str(e.validator_value)]}, and is {_shown(e.instance)}"
    ),
    "minLength": lambda _: "is empty",
    "minItems": lambda _: "is an empty list",
    "minProperties": lambda _: "is an empty table",
    "maxLength": lambda e: f"has more than {e.validator_value} characters",
    "maxItems": lambda e: f"has more than {e.validator_value} items",
    "maxProperties": lambda e: f"has more than {e.validator_value} entries",
    "minimum": lambda e: f"has to be at least {e.validator_value}, and is {_shown(e.instance)}",
    "maximum": lambda e: f"has to be at most {e.validator_value}, and is {_shown(e.instance)}",
    "uniqueItems": lambda _: "names something twice",
    "not": lambda _: "has a model, which is that of the target; leave it out",
}
"""The rules that the schema of profiles has; a test compares them."""


def _shown(value: object) -> str:
    """Write a value as short JSON."""
    try:
        return one_line(json.dumps(value, ensure_ascii=False, default=str), MAX_VALUE_CHARS)
    except (ValueError, TypeError, RecursionError):
        return f"a {type(value).__name__}"
