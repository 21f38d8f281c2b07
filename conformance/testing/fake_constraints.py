"""Texts that follow a constraint, for the fake endpoint: one is drawn, and then generated.

It reads regular expressions of characters, classes, groups, alternatives and repetitions, grammars
without recursion, and JSON Schemas by type, `enum` and `const`. Others are rejected.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

Body = Mapping[str, Any]
Draw = Callable[[random.Random], str]
"""Draws a text that follows a constraint."""

PARAMETERS = (
    *("structured_outputs", "response_format"),
    *("json_schema", "regex", "ebnf", "grammar"),
)
"""The parameters that have a constraint."""

MAX_NESTED = 20
"""Rules of a grammar, or values of a schema, that may contain each other."""

_PIECE = re.compile(
    r'"((?:[^"\\]|\\.)*)"'  # a text
    r"|(\[(?:[^\]\\]|\\.)*\])"  # a class of characters
    r"|([A-Za-z][\w-]*)"  # the name of a rule
    r"|([()|*+?]|\{\d+,?\d*\})"  # a sign of a regular expression
    r"|\s+"
)
_COUNT = re.compile(r"\{(\d+)(?:,\d*)?\}")


def draw_of(body: Body) -> Draw | None:
    """Return what draws texts that follow the constraint of a request; None if it has none.

    Raises:
        ValueError: the constraint cannot be read, or there is more than one.
    """
    given = {name: body[name] for name in PARAMETERS if body.get(name) is not None}
    found = [draw for name, value in given.items() for draw in _of(name, value)]
    if len(found) > 1:
        raise ValueError("only one constraint can be followed")
    return found[0] if found else None


def _of(name: str, value: Any) -> Iterator[Draw]:
    match name, value:
        case "structured_outputs", dict():
            for kind, source in value.items():
                yield _member(kind, source)
        case "response_format", {"type": "json_schema", "json_schema": {"schema": schema}}:
            yield _schema(schema)
        case "response_format", {"type": "json_object"}:
            yield _schema({"type": "object"})
        case "response_format", {"type": "text"}:
            pass
        case "response_format", _:
            raise ValueError("unknown type of response_format")
        case "json_schema", _:
            yield _schema(value)
        case "regex", str():
            yield _regex(value)
        case (("ebnf" | "grammar"), str()):
            yield _regex(_as_regex(value))


def _member(kind: str, source: Any) -> Draw:
    match kind, source:
        case "choice", [*choices] if choices and all(isinstance(one, str) for one in choices):
            return lambda rng: rng.choice(choices)
        case "regex", str():
            return _regex(source)
        case "grammar", str():
            return _regex(_as_regex(source))
        case "json", _:
            return _schema(source)
        case "json_object", True:
            return _schema({"type": "object"})
        case _:
            raise ValueError(f"structured_outputs cannot be followed: {kind}")


# ── JSON Schema ──────────────────────────────────────────────────────────────────────────────────


def _schema(source: Any) -> Draw:
    schema = json.loads(source) if isinstance(source, str) else source
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"the schema is invalid: {error.message}") from error
    validator = Draft202012Validator(schema)

    def draw(rng: random.Random) -> str:
        return json.dumps(_value(schema, rng, MAX_NESTED), ensure_ascii=False)

    if not validator.is_valid(json.loads(draw(random.Random(0)))):  # noqa: S311 - no secret
        raise ValueError("no value of the schema was found")
    return draw


def _value(schema: Any, rng: random.Random, left: int) -> Any:
    value: Any = None
    match schema if left else None:
        case {"const": constant}:
            value = constant
        case {"enum": [*values]}:
            value = rng.choice(values)
        case {"type": "object"}:
            inner = schema.get("properties", {})
            value = {name: _value(part, rng, left - 1) for name, part in inner.items()}
        case {"type": "array"}:
            part, count = schema.get("items", True), schema.get("minItems", 0)
            value = [_value(part, rng, left - 1) for _ in range(count)]
        case {"type": "boolean"}:
            value = rng.choice([True, False])
        case {"type": "integer" | "number"}:
            value = schema.get("minimum", 0)
        case {"type": "string"}:
            value = "a" * schema.get("minLength", 0)
    return value


# ── regular expressions ──────────────────────────────────────────────────────────────────────────


def _regex(pattern: str) -> Draw:
    try:
        draw = _Expression(pattern)
        is_followed = re.fullmatch(pattern, draw(random.Random(0)))  # noqa: S311 - no secret
    except (re.error, RecursionError) as error:
        raise ValueError(f"the expression cannot be read: {error}") from error
    if not is_followed:
        raise ValueError("the expression has parts that are not served")
    return draw


class _Expression:
    """Draws a text that a regular expression matches, by reading the expression once."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __call__(self, rng: random.Random) -> str:
        text, _ = self._alternatives(0, rng)
        return text

    def _alternatives(self, place: int, rng: random.Random) -> tuple[str, int]:
        """Return a text of one of the alternatives from a place, and the place behind them."""
        texts = []
        while True:
            text, place = self._sequence(place, rng)
            texts.append(text)
            if self._pattern[place : place + 1] != "|":
                return rng.choice(texts), place
            place += 1

    def _sequence(self, place: int, rng: random.Random) -> tuple[str, int]:
        text = ""
        while place < len(self._pattern) and self._pattern[place] not in "|)":
            piece, place = self._atom(place, rng)
            count, place = self._count(place)
            text += piece * count
        return text, place

    def _atom(self, place: int, rng: random.Random) -> tuple[str, int]:
        character = self._pattern[place]
        if character == "(":
            start = place + 3 if self._pattern.startswith("(?:", place) else place + 1
            text, end = self._alternatives(start, rng)
            return text, end + 1
        end = place + 1
        if character == "[":
            end = _behind_class(self._pattern, place)
        elif character == "\\":
            end = place + 2
        allowed = re.compile(self._pattern[place:end])
        known = [c for c in _CANDIDATES + self._pattern if allowed.fullmatch(c)]
        return (rng.choice(known) if known else ""), end

    def _count(self, place: int) -> tuple[int, int]:
        """Return the least number of repetitions, and the place behind what states it."""
        if found := _COUNT.match(self._pattern, place):
            return int(found[1]), found.end()
        sign = self._pattern[place : place + 1]
        return {"*": (0, place + 1), "?": (0, place + 1), "+": (1, place + 1)}.get(sign, (1, place))


_CANDIDATES = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ -_.,:;\n"
"""Characters that are tried for a class, besides those of the expression itself."""


def _behind_class(pattern: str, place: int) -> int:
    """Return the place behind a class of characters."""
    end = place + 1
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1


# ── grammars ─────────────────────────────────────────────────────────────────────────────────────


def _as_regex(grammar: str) -> str:
    """Return the regular expression of a grammar in GBNF without recursion.

    Raises:
        ValueError: it cannot be read.
    """
    parts = re.split(r"^\s*([A-Za-z][\w-]*)\s*::=", grammar, flags=re.MULTILINE)
    rules = dict(zip(parts[1::2], parts[2::2], strict=True))
    if parts[0].strip() or "root" not in rules:
        raise ValueError("the grammar has no rule `root`")
    return _inlined("root", rules, MAX_NESTED)


def _inlined(name: str, rules: Mapping[str, str], left: int) -> str:
    if not left or name not in rules:
        raise ValueError(f"the rule `{name}` is missing or contains itself")
    body, place, result = rules[name].strip(), 0, ""
    while place < len(body):
        found = _PIECE.match(body, place)
        if found is None:
            raise ValueError(f"the rule `{name}` cannot be read")
        literal, characters, rule, sign = found.groups()
        if literal is not None:
            text = json.loads('"' + literal + '"')
            result += f"(?:{re.escape(text)})"
        elif rule is not None:
            result += _inlined(rule, rules, left - 1)
        else:
            result += characters or sign or ""
        place = found.end()
    return f"(?:{result})"
