"""Validate bodies against a contract's schemas.

Each violation is a message with its place, also where jsonschema has a sentence in English only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from conformance.contract.schemas import Schema
from conformance.message import Message, say, verbatim

_SUBJECTS: Mapping[str, str] = {
    "model": "response.model",
    "error": "error.message",
}
"""Members whose subject has another name than their path."""

_MISSING = re.compile(r"^'([^']+)' is a required property")


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One violation of a schema.

    Attributes:
        path: the place in the body, such as ``choices[0].text``; empty for the body itself.
        message: the violation in one line.
        rule: the schema keyword that is violated, such as ``required`` or ``maximum``.
    """

    path: str
    message: Message
    rule: str

    @property
    def said(self) -> Message:
        """The violation with its place."""
        if not self.path:
            return self.message
        return say("{path}: {message}", path=self.path, message=self.message)

    @property
    def subject(self) -> str:
        """The parameter or field that it is about, such as ``choices[].index``."""
        missing = _MISSING.match(self.message) if self.rule == "required" else None
        parts = [self.path, missing[1] if missing else ""]
        path = re.sub(r"\[\d+\]", "[]", ".".join(part for part in parts if part))
        return _SUBJECTS.get(path, path)


def _is_integer(_checker: object, value: object) -> bool:
    """Accept only JSON integers: typed clients do not parse 1.0 as an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    """Accept only finite numbers: JSON has no NaN or Infinity."""
    if isinstance(value, float):
        return math.isfinite(value)
    # An integer is finite, but may be too large to be converted to a float.
    return isinstance(value, int) and not isinstance(value, bool)


# `extend` has no type annotations.
_extended: Callable[..., type[Draft202012Validator]] = extend
_Validator = _extended(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def validator_of(schemas: Schema, name: str) -> Draft202012Validator:
    """Return a validator for one component; its references are resolved among ``schemas``."""
    components = {"schemas": schemas}
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    # An empty registry: by default, jsonschema would fetch what a reference names.
    return _Validator(schema, registry=Registry())


def violations_of(validator: Draft202012Validator, body: object) -> Iterator[SchemaViolation]:
    """Yield all violations in a body, ordered by path."""
    errors = (closest for error in validator.iter_errors(body) for closest in _closest(error))
    for error in sorted(errors, key=lambda error: path_of(error.absolute_path)):
        yield SchemaViolation(
            path=path_of(error.absolute_path),
            message=_said(error),
            rule=str(error.validator),
        )


MAX_VALUE_CHARS = 90
"""Characters of a value in a violation, which names at most two."""


def _said(error: ValidationError) -> Message:
    """Say what is wrong in the words of jsonschema, which has them in English only."""
    value, rule = _shown(error.instance), error.validator_value
    if error.validator == "required":
        member = error.message.removesuffix(" is a required property")
        return say("{member} is a required property", member=_cut(member, MAX_VALUE_CHARS))
    if rule == 1 and not error.instance and str(error.validator).startswith("min"):
        return say("{value} should be non-empty", value=value)
    words = _SAID.get(str(error.validator))
    return words(value, rule) if words else verbatim(_cut(error.message))


_SAID: Mapping[str, Callable[[str, Any], Message]] = {
    "type": lambda value, rule: say(
        "{value} is not of type {types}",
        value=value,
        types=tuple(map(repr, [rule] if isinstance(rule, str) else rule)),
    ),
    "enum": lambda value, rule: say(
        "{value} is not one of {values}", value=value, values=_shown(rule)
    ),
    "const": lambda _, rule: say("{value} was expected", value=_shown(rule)),
    "minimum": lambda value, rule: say(
        "{value} is less than the minimum of {bound}", value=value, bound=rule
    ),
    "maximum": lambda value, rule: say(
        "{value} is greater than the maximum of {bound}", value=value, bound=rule
    ),
    "minItems": lambda value, _: say("{value} is too short", value=value),
    "minLength": lambda value, _: say("{value} is too short", value=value),
    "maxItems": lambda value, _: say("{value} is too long", value=value),
    "maxLength": lambda value, _: say("{value} is too long", value=value),
    "anyOf": lambda value, _: say(
        "{value} is not valid under any of the given schemas", value=value
    ),
    "pattern": lambda value, rule: say(
        "{value} does not match {pattern}", value=value, pattern=_shown(rule)
    ),
}
"""What each keyword says of a value; others are said by the library."""


def _shown(value: object) -> str:
    return _cut(repr(value), MAX_VALUE_CHARS)


def _closest(error: ValidationError) -> Iterator[ValidationError]:
    """Replace an ``anyOf`` error by the errors of the only alternative with the value's type."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [errors for errors in branches.values() if not any(map(_is_of_other_type, errors))]
    if len(fitting) != 1:
        yield error
        return
    for inner in fitting[0]:
        yield from _closest(inner)


def _is_of_other_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def path_of(parts: Iterable[object]) -> str:
    """Format a path: ``choices[0].logprobs.tokens``."""
    words = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return "".join(words).removeprefix(".")


def _cut(message: str, limit: int = 200) -> str:
    return message if len(message) <= limit else f"{message[: limit - 1]}…"
