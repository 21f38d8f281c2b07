"""Read parameters and response fields from a contract's schemas, and validate bodies.

The schemas are JSON Schema (Draft 2020-12) with the ``x-`` extensions that the head of
``spec/openapi.yaml`` explains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from conformance.contract import summary
from conformance.language import Text
from conformance.message import Message, say, verbatim

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One request parameter of a contract.

    Attributes:
        name: the name in the request body.
        documented: whether the contract's document mentions it. If not, only ``says``, ``says_zh``
            and ``description`` are set.
        promised: whether the document promises to serve it.
        required: whether a request must contain it.
        types: its JSON types without ``null``; see ``nullable``.
        default: the documented default, valid if ``has_default``.
        default_unlimited: whether the documented default is no limit.
        minimum, maximum: inclusive limits of the value, or of the values of a map.
        max_items: the maximum number of items of an array.
        forms: the forms of a prompt, each with whether it is promised.
        says: what each document says about it, by the document's name; ``says_zh`` in Chinese.
        description: the description in the schema.
        is_extension: whether only an overlay adds it, so that the live API has no such parameter.
            Nothing but a check of its own sends it, because it can change what others mean.
    """

    name: str
    documented: bool = False
    promised: bool = False
    required: bool = False
    types: tuple[str, ...] = ()
    nullable: bool = False
    has_default: bool = False
    default: Any = None
    default_unlimited: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_items: int | None = None
    forms: Mapping[str, bool] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    says_zh: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    is_extension: bool = False

    @property
    def promise(self) -> Text:
        """The contract's promise in one line."""
        if not self.documented:
            return summary.NOT_DOCUMENTED
        items, default = self.max_items, summary.value(self.default)
        return summary.line(
            (
                _kinds(self.forms or self.types, nullable=self.nullable),
                summary.span(self.minimum, self.maximum),
                summary.AT_MOST_ITEMS.format(count=items) if items is not None else None,
                summary.REQUIRED if self.required else None,
                summary.DEFAULT.format(value=default) if self.has_default else None,
                summary.DEFAULT_UNLIMITED if self.default_unlimited else None,
            )
        )

    def lacks(self, aspect: str) -> Message | None:
        """Describe an aspect that is not documented; None if it is.

        Args:
            aspect: ``null``, ``default``, ``minimum``, ``maximum``, ``max_items``, or a form.
        """
        name = self.name
        present, words = {
            "null": (self.nullable, say("null as a value of `{parameter}`", parameter=name)),
            "default": (self.has_default, say("a default of `{parameter}`", parameter=name)),
            "minimum": (
                self.minimum is not None,
                say("a minimum of `{parameter}`", parameter=name),
            ),
            "maximum": (
                self.maximum is not None,
                say("a maximum of `{parameter}`", parameter=name),
            ),
            "max_items": (
                self.max_items is not None,
                say("a limit to the items of `{parameter}`", parameter=name),
            ),
            "strings": (aspect in self.forms, say("strings as a `{parameter}`", parameter=name)),
            "tokens": (aspect in self.forms, say("tokens as a `{parameter}`", parameter=name)),
            "token-arrays": (
                aspect in self.forms,
                say("token arrays as a `{parameter}`", parameter=name),
            ),
        }.get(
            aspect,
            (aspect in self.forms, say("{form} as a `{parameter}`", form=aspect, parameter=name)),
        )
        return None if present else words


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a response.

    Attributes:
        path: such as ``choices[].logprobs.tokens``.
        required: whether its parent must contain it.
        types: its JSON types without ``null``; see ``nullable``.
        values: the allowed values of an enumeration; empty if any are allowed.
        says: what each document says about it, by the document's name; ``says_zh`` in Chinese.
        description: the description in the schema.
    """

    path: str
    required: bool
    types: tuple[str, ...]
    nullable: bool
    values: tuple[Any, ...]
    says: Mapping[str, str]
    says_zh: Mapping[str, str]
    description: str

    @property
    def promise(self) -> Text:
        """The contract's promise in one line."""
        if self.values:
            null = (summary.NULL,) if self.nullable else ()
            return summary.line([summary.listed((*map(summary.value, self.values), *null))])
        return summary.line([_kinds(self.types, nullable=self.nullable)])


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


# ── parameters ───────────────────────────────────────────────────────────────────────────────────


def read_parameters(base: Schema, applied: Schema) -> Iterator[Parameter]:
    """Yield all parameters.

    Args:
        base: the request schema of ``spec/openapi.yaml``.
        applied: the same schema with an overlay applied. A parameter that the overlay removed is
            yielded as not documented.
    """
    required = applied.get("required", ())
    for name in {**base["properties"], **applied["properties"]}:
        schema = applied["properties"].get(name)
        if schema is None:
            union = base["properties"][name]
            said, description = _says(union), union.get("description", "")
            yield Parameter(name, says=said, says_zh=_says_zh(union), description=description)
        else:
            stated = _parameter(name, schema, required=name in required)
            yield replace(stated, is_extension=name not in base["properties"])


def _parameter(name: str, schema: Schema, *, required: bool) -> Parameter:
    types = _types(schema)
    values = schema.get("additionalProperties") or schema  # a map's limits are on its values
    return Parameter(
        name,
        documented=True,
        promised=_boolean(schema, "x-promised"),
        required=required,
        types=tuple(kind for kind in types if kind != "null"),
        nullable="null" in types,
        has_default="default" in schema,
        default=schema.get("default"),
        default_unlimited=_unlimited(schema),
        minimum=values.get("minimum"),
        maximum=values.get("maximum"),
        max_items=schema.get("maxItems"),
        forms={
            form["x-form"]: _boolean(form, "x-promised")
            for form in schema.get("anyOf", ())
            if "x-form" in form
        },
        says=_says(schema),
        says_zh=_says_zh(schema),
        description=schema.get("description", ""),
    )


def _boolean(schema: Schema, key: str) -> bool:
    value = schema.get(key, False)
    if not isinstance(value, bool):
        raise TypeError(f"{key} must be true or false, not {value!r}")
    return value


def _unlimited(schema: Schema) -> bool:
    if schema.get("x-default", "unlimited") != "unlimited":
        raise ValueError("x-default has only one valid value, `unlimited`")
    return "x-default" in schema


def _says(schema: Schema, key: str = "x-documents") -> Mapping[str, str]:
    says = schema.get(key, {})
    if not isinstance(says, dict) or not all(isinstance(text, str) for text in says.values()):
        raise TypeError(f"{key} must map documents to what they say")
    return says


def _says_zh(schema: Schema) -> Mapping[str, str]:
    return _says(schema, "x-documents-zh")


def _kinds(names: Iterable[str], *, nullable: bool) -> Text | None:
    """Join the names of types or forms: "string, array or null"; None if none is stated."""
    stated = (*names, *(["null"] if nullable else []))
    return summary.listed(map(summary.kind, stated)) if stated else None


def _types(schema: Schema) -> tuple[str, ...]:
    """Return the JSON types that a schema allows, each once, in the schema's order."""
    if "anyOf" in schema:
        inner = (kind for branch in schema["anyOf"] for kind in _types(branch))
        return tuple(dict.fromkeys(inner))
    if "$ref" in schema:
        return ("object",)
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


# ── response fields ──────────────────────────────────────────────────────────────────────────────


def read_fields(schemas: Schema, parameters: Iterable[str]) -> Iterator[Field]:
    """Yield all fields of a response and of an error, parents before their members.

    A field with the name of a parameter gets a prefix: ``response.model``.
    """
    names = set(parameters)
    for component in ("Completion", "Error"):
        for found in _members(schemas, schemas[component], ""):
            shared = found.path in names
            yield replace(found, path=f"response.{found.path}") if shared else found


def _members(schemas: Schema, schema: Schema, prefix: str) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        types = _types(member)
        yield Field(
            path,
            required=name in required,
            types=tuple(kind for kind in types if kind != "null"),
            nullable="null" in types,
            values=tuple(member.get("enum", [member["const"]] if "const" in member else [])),
            says=_says(member),
            says_zh=_says_zh(member),
            description=member.get("description", ""),
        )
        yield from _members(schemas, _object_of(schemas, member), f"{path}.")
        yield from _members(schemas, _object_of(schemas, member.get("items", {})), f"{path}[].")


def _object_of(schemas: Schema, schema: Schema) -> Schema:
    """Resolve a reference, also one that is an alternative to null."""
    for branch in (schema, *schema.get("anyOf", ())):
        if "$ref" in branch:
            target: Schema = schemas[branch["$ref"].rpartition("/")[2]]
            return target
    return schema


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────


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
