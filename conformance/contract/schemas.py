"""What the schemas of a contract say: of a parameter, of a response field, of a body.

Reads JSON Schema (Draft 2020-12) and the ``x-`` extensions that ``spec/openapi.yaml`` explains at
its top. :mod:`conformance.contract` offers all of this under one name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from conformance.contract import summary as promises
from conformance.language import Text

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One request parameter as the contract knows it.

    ``says`` holds what every document states, ``says_zh`` the same in Chinese, also where this one
    is silent (``documented`` is then False, and no limit or default is known). ``forms`` are the
    forms of a prompt; each maps to whether it is promised.
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

    @property
    def promise(self) -> Text:
        """The contract's words for it, in a line."""
        if not self.documented:
            return promises.NOT_DOCUMENTED
        items, default = self.max_items, promises.value(self.default)
        return promises.line(
            (
                _kinds(self.forms or self.types, nullable=self.nullable),
                promises.span(self.minimum, self.maximum),
                promises.AT_MOST_ITEMS.format(count=items) if items is not None else None,
                promises.REQUIRED if self.required else None,
                promises.DEFAULT.format(value=default) if self.has_default else None,
                promises.DEFAULT_UNLIMITED if self.default_unlimited else None,
            )
        )

    def lacks(self, aspect: str) -> str | None:
        """Say what is missing for an aspect (a form, a limit, a default, null), or None."""
        present, words = {
            "null": (self.nullable, f"null as a value of `{self.name}`"),
            "default": (self.has_default, f"a default of `{self.name}`"),
            "minimum": (self.minimum is not None, f"a minimum of `{self.name}`"),
            "maximum": (self.maximum is not None, f"a maximum of `{self.name}`"),
            "max_items": (self.max_items is not None, f"a limit to the items of `{self.name}`"),
        }.get(aspect, (aspect in self.forms, f"{aspect.replace('-', ' ')} as a `{self.name}`"))
        return None if present else words


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a response, named by its path: ``choices[].logprobs.tokens``."""

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
        """The contract's words for it, in a line."""
        if self.values:
            null = (promises.NULL,) if self.nullable else ()
            return promises.line([promises.listed((*map(promises.value, self.values), *null))])
        return promises.line([_kinds(self.types, nullable=self.nullable)])


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One place where a body breaks its schema, and the rule of the schema that it breaks."""

    path: str  # "choices[0].text"; empty for the body itself
    message: str
    rule: str  # "required", "type", "maximum", …


# ── parameters ───────────────────────────────────────────────────────────────────────────────────


def read_parameters(base: Schema, applied: Schema) -> Iterator[Parameter]:
    """Read every parameter of the base, and those an overlay added, as ``applied`` leaves them."""
    required = applied.get("required", ())
    for name in {**base["properties"], **applied["properties"]}:
        schema = applied["properties"].get(name)
        if schema is None:
            union = base["properties"][name]
            said, description = _says(union), union.get("description", "")
            yield Parameter(name, says=said, says_zh=_says_zh(union), description=description)
        else:
            yield _parameter(name, schema, required=name in required)


def _parameter(name: str, schema: Schema, *, required: bool) -> Parameter:
    types = _types(schema)
    values = schema.get("additionalProperties") or schema  # the limits of a map are its values'
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


def _kinds(names: Iterable[str], *, nullable: bool) -> Text:
    """Put into words what a value may be."""
    return promises.listed(map(promises.kind, (*names, *(["null"] if nullable else []))))


def _types(schema: Schema) -> tuple[str, ...]:
    """Name the JSON types that a schema admits, each once, in the schema's order."""
    if "anyOf" in schema:
        inner = (kind for branch in schema["anyOf"] for kind in _types(branch))
        return tuple(dict.fromkeys(inner))
    if "$ref" in schema:
        return ("object",)
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


# ── response fields ──────────────────────────────────────────────────────────────────────────────


def read_fields(schemas: Schema, parameters: Iterable[str]) -> Iterator[Field]:
    """Read every field of an answer and of an error, parents before their members.

    A field that shares its name with a parameter is told apart from it: ``response.model``.
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
    """Follow a reference, also one that is an alternative to null, to the object it names."""
    for branch in (schema, *schema.get("anyOf", ())):
        if "$ref" in branch:
            target: Schema = schemas[branch["$ref"].rpartition("/")[2]]
            return target
    return schema


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────


def _is_integer(_checker: object, value: object) -> bool:
    """Hold that a number is written as an integer: to a typed client 1.0 is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_checker: object, value: object) -> bool:
    """Hold that a number is one that JSON can write."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# `extend` carries no annotations of its own.
_extended: Callable[..., type[Draft202012Validator]] = extend
_Validator = _extended(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def validator_of(schemas: Schema, name: str) -> Draft202012Validator:
    """Make a validator of one component; the others are there for its references."""
    components = {"schemas": schemas}
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return _Validator(schema)


def violations_of(validator: Draft202012Validator, body: object) -> Iterator[SchemaViolation]:
    """Name every place where a body breaks its schema, ordered by path."""
    errors = (closest for error in validator.iter_errors(body) for closest in _closest(error))
    for error in sorted(errors, key=lambda error: path_of(error.absolute_path)):
        yield SchemaViolation(
            path=path_of(error.absolute_path),
            message=_cut(error.message),
            rule=str(error.validator),
        )


def _closest(error: ValidationError) -> Iterator[ValidationError]:
    """Look into alternatives: where the value is of one alternative's type, tell what is amiss."""
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
    """Write a path as its reader would: ``choices[0].logprobs.tokens``."""
    words = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return "".join(words).removeprefix(".")


def _cut(message: str, limit: int = 200) -> str:
    return message if len(message) <= limit else f"{message[: limit - 1]}…"
