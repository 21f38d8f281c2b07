"""Read parameters and response fields from a contract's schemas.

The schemas are JSON Schema (Draft 2020-12) with the ``x-`` extensions that the head of
``spec/openapi.yaml`` explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.contract import summary
from conformance.language import Text
from conformance.message import Message, say

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
        members: the names of the members of an object.
        forms: the forms of a prompt, each with whether it is promised.
        says: what each document says about it, by the document's name; ``says_zh`` in Chinese.
        description: the description in the schema.
        has_own_meaning: whether the document has a parameter of this name that does something else
            than the live API's; it is not ``documented`` then, so that nothing sends it.
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
    members: tuple[str, ...] = ()
    forms: Mapping[str, bool] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    says_zh: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    has_own_meaning: bool = False
    is_extension: bool = False

    @property
    def promise(self) -> Text:
        """The contract's promise in one line."""
        if self.has_own_meaning:
            return summary.OWN_MEANING
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
            aspect: ``null``, ``default``, ``minimum``, ``maximum``, ``max_items``, a form of a
                prompt, or a member of an object.
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
        if aspect in self.members or (self.members and not present):
            present = aspect in self.members
            words = say("`{member}` of `{parameter}`", member=aspect, parameter=name)
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
    if _boolean(schema, "x-own-meaning"):
        return Parameter(
            name,
            says=_says(schema),
            says_zh=_says_zh(schema),
            description=schema.get("description", ""),
            has_own_meaning=True,
        )
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
        members=tuple(schema.get("properties", ())),
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
