"""What a text has to follow, by the names that today's servers give it.

vLLM: ``structured_outputs`` and ``response_format``, from ``sampling_params.py``,
``completion/protocol.py`` (002032ee) and ``docs/features/structured_outputs.md``. SGLang:
``json_schema``, ``regex``, ``ebnf`` and ``response_format``, from ``protocol.py`` (004c82e0) and
``sampling/sampling_params.py`` (00c17caf). llama.cpp: ``json_schema`` and ``grammar``, from
``tools/server/README.md`` (00dc8057). All read on 2026-12-01.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reference_server.completions import fields
from reference_server.completions.errors import ApiError, bad_request
from reference_server.engine.constraint import Constraint, ConstraintKind

PARAMETERS = (
    *("structured_outputs", "response_format"),
    *("json_schema", "regex", "ebnf", "grammar"),
)
"""The parameters of a request that say what its text follows."""

ANY_OBJECT = '{"type": "object"}'
"""The schema of a JSON object of any content."""


def read(given: Mapping[str, Any], *, schema_as_text: bool) -> Constraint | None:
    """Read the constraint of a request; None if it has none.

    Args:
        given: the parameters of the request that the dialect knows.
        schema_as_text: whether ``json_schema`` is a string, not an object.

    Raises ApiError (400) for an invalid value, and for more than one constraint.
    """
    found = [
        (name, one)
        for name in PARAMETERS
        if name in given
        for one in _of(name, given[name], schema_as_text=schema_as_text)
    ]
    if len(found) > 1:
        names = ", ".join(f"'{name}'" for name, _ in found)
        raise bad_request(
            f"A text can follow only one constraint, but {len(found)} were given: {names}.",
            param=found[-1][0],
        )
    return found[0][1] if found else None


def invalid(constraint: Constraint, message: str) -> ApiError:
    """The error for a constraint that cannot be read, with the reader's message in one line."""
    name = constraint.parameter
    return bad_request(
        f"The constraint in '{name}' cannot be followed: {' '.join(message.split())[:300]}",
        param=name.partition(".")[0],
    )


def _of(name: str, value: Any, *, schema_as_text: bool) -> Iterator[Constraint]:
    match name:
        case "structured_outputs":
            yield _structured(value, name)
        case "response_format":
            yield from _format(value, name)
        case "json_schema":
            yield _schema(value, name, as_text=schema_as_text)
        case "regex":
            yield Constraint(ConstraintKind.REGEX, fields.string(value, name), name)
        case "ebnf" | "grammar":
            yield Constraint(ConstraintKind.GRAMMAR, fields.string(value, name), name)


def _structured(value: Any, name: str) -> Constraint:
    members = fields.members(value, name, (*_MEMBERS, *_UNSERVED, _COMPACT))
    for option in _UNSERVED:
        if members.get(option) not in (None, False):
            raise _unserved(f"{name}.{option}")
    # Its JSON has one layout in any case, without free whitespace.
    fields.boolean(members.get(_COMPACT, False), f"{name}.{_COMPACT}")
    given = [key for key in _MEMBERS if members.get(key) is not None]
    if len(given) != 1:
        raise bad_request(
            f"'{name}' needs exactly one of {', '.join(_MEMBERS)}, but has {len(given)}.",
            param=name,
        )
    (key,) = given
    return _MEMBERS[key](members[key], f"{name}.{key}")


def _format(value: Any, name: str) -> Iterator[Constraint]:
    members = fields.members(
        value, name, ("type", "json_schema", "structures", "triggers", "format")
    )
    kind = fields.string(members.get("type"), f"{name}.type")
    match kind:
        case "text":
            return
        case "json_object":
            yield Constraint(ConstraintKind.SCHEMA, ANY_OBJECT, name)
        case "json_schema":
            path = f"{name}.json_schema"
            inner = fields.members(
                members.get("json_schema"), path, ("name", "description", "schema", "strict")
            )
            yield _schema(inner.get("schema"), f"{path}.schema", as_text=False)
        case _:
            raise _unserved(f"{name}.type")


def _schema(value: Any, name: str, *, as_text: bool) -> Constraint:
    if as_text:
        return Constraint(ConstraintKind.SCHEMA, fields.string(value, name), name)
    if not isinstance(value, dict):
        raise fields.wrong_type(value, name, "an object")
    return Constraint(ConstraintKind.SCHEMA, json.dumps(value), name)


def _either(value: Any, name: str) -> Constraint:
    return _schema(value, name, as_text=isinstance(value, str))


def _choice(value: Any, name: str) -> Constraint:
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of strings")
    fields.at_least_one(value, name)
    texts = [fields.string(one, f"{name}[{place}]") for place, one in enumerate(value)]
    return Constraint(ConstraintKind.CHOICE, json.dumps(texts), name)


def _object(value: Any, name: str) -> Constraint:
    if fields.boolean(value, name) is not True:
        raise bad_request(f"Invalid '{name}': it can only be true.", param=name.partition(".")[0])
    return Constraint(ConstraintKind.SCHEMA, ANY_OBJECT, name)


def _text_of(kind: ConstraintKind) -> Callable[[Any, str], Constraint]:
    return lambda value, name: Constraint(kind, fields.string(value, name), name)


_MEMBERS: Mapping[str, Callable[[Any, str], Constraint]] = {
    "json": _either,
    "regex": _text_of(ConstraintKind.REGEX),
    "choice": _choice,
    "grammar": _text_of(ConstraintKind.GRAMMAR),
    "json_object": _object,
}
"""The constraints in `structured_outputs`, each with its reader."""

_UNSERVED = ("structural_tag", "whitespace_pattern", "disable_additional_properties")
"""Other members of `structured_outputs`, which this server does not serve."""
_COMPACT = "disable_any_whitespace"
_OF_TAGS = ("structures", "triggers", "format")
"""Members of a `response_format` of the type `structural_tag`."""


def _unserved(name: str) -> ApiError:
    return bad_request(f"This server cannot serve '{name}'.", param=name.partition(".")[0])
