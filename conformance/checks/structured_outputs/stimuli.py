"""What the checks send: constraints, in the spelling of each contract that knows them.

vLLM has them in `structured_outputs`, SGLang and llama.cpp in parameters of their own; the first
two also in `response_format`, as for chats. The prompt is one that no model continues with such a
text by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.requests import greedy
from conformance.checks.structured_outputs.languages import (
    AnyObject,
    JsonObjects,
    JsonValues,
    Language,
    texts,
)

JSON_TOKENS = 48
"""More than the longest of our JSON objects has, letter by letter."""

TEXT_TOKENS = 16
"""More than the longest other allowed text has, byte by byte."""

CUT_TOKENS = 2
"""Tokens at which no JSON object of ours is complete."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of constraint.

    Attributes:
        name: as vLLM names it.
        source: the constraint of the checks, and ``language`` the texts that it allows.
        chinese: one with texts of Chinese characters, and ``chinese_language`` these texts.
        broken: one that no server can read.
    """

    name: str
    source: Any
    language: Language
    chinese: Any
    chinese_language: Language
    broken: Any


def schema_of(members: JsonValues) -> dict[str, Any]:
    """Return the JSON Schema of objects that have exactly these members."""
    return {
        "type": "object",
        "properties": {
            name: {"type": "boolean"} if True in values else {"type": "string", "enum": [*values]}
            for name, values in members.items()
        },
        "required": [*members],
        "additionalProperties": False,
    }


FRUIT: JsonValues = {"colour": ("red", "green"), "ripe": (True, False)}
CHINESE_FRUIT: JsonValues = {"颜色": ("红", "绿")}
DIGITS, LETTERS = "0123456789", "abcdef"
CHINESE_TEXTS = texts(("红", "绿"), ("茶", "豆"))

CHOICE = Kind(
    "choice",
    ["red", "green"],
    texts(("red", "green")),
    ["红茶", "红豆", "绿茶", "绿豆"],
    CHINESE_TEXTS,
    broken=[],
)
REGEX = Kind(
    "regex",
    "[0-9][0-9]-[a-f]",
    texts(DIGITS, DIGITS, "-", LETTERS),
    "(红|绿)(茶|豆)",
    CHINESE_TEXTS,
    broken="[0-9",
)
JSON = Kind(
    "json",
    schema_of(FRUIT),
    JsonObjects(FRUIT),
    schema_of(CHINESE_FRUIT),
    JsonObjects(CHINESE_FRUIT),
    broken={"type": "nonsense"},
)
GRAMMAR = Kind(
    "grammar",
    'root ::= ("up" | "down") "-" [0-9]',
    texts(("up", "down"), "-", DIGITS),
    'root ::= ("红" | "绿") ("茶" | "豆")',
    CHINESE_TEXTS,
    broken='root ::= ("up"',
)


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of constraint in the spelling of some contracts.

    Attributes:
        parameter: the parameter of a request that has it.
        prefix: what the ids of its requirements and checks begin with.
        title: how sentences name it.
    """

    parameter: str
    kind: Kind
    prefix: str
    title: str
    spell: Callable[[Api, Any], Any]

    def sends(self, api: Api, source: Any) -> Mapping[str, Any]:
        """Return the member of a request that has a constraint."""
        return {self.parameter: self.spell(api, source)}


def _own(kind: Kind) -> Form:
    """Return the form with a member of ``structured_outputs``."""
    return Form(
        "structured_outputs",
        kind,
        f"structured-outputs.{kind.name}-",
        f"structured_outputs.{kind.name}",
        lambda _, source: {kind.name: source},
    )


def _plain(parameter: str, kind: Kind) -> Form:
    """Return the form with a parameter that is the constraint itself."""
    prefix = f"{parameter.replace('_', '-')}."
    return Form(parameter, kind, prefix, parameter, lambda _, source: source)


def _as_documented(api: Api, source: Any) -> Any:
    """Return a schema as an object, or as a string where the contract documents one."""
    return json.dumps(source) if "string" in api.contract.parameter("json_schema").types else source


def _as_format(_: Api, source: Any) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "fruit", "schema": source}}


SCHEMA = Form("json_schema", JSON, "json-schema.", "json_schema", _as_documented)
FORMAT = Form("response_format", JSON, "response-format.", "response_format", _as_format)
OWN_JSON = _own(JSON)

JSON_FORMS = (OWN_JSON, FORMAT, SCHEMA)
OTHER_FORMS = (
    *map(_own, (CHOICE, REGEX, GRAMMAR)),
    _plain("regex", REGEX),
    _plain("ebnf", GRAMMAR),
    _plain("grammar", GRAMMAR),
)
FORMS = (*JSON_FORMS, *OTHER_FORMS)

READ_FORMS = tuple(form for form in OTHER_FORMS if form.kind is not CHOICE)
"""Those that have to be parsed, other than schemas; choices cannot be misspelt."""

ANY_OBJECT = {"response_format": {"type": "json_object"}}
ANY_OBJECT_LANGUAGE = AnyObject()


def request_of(api: Api, form: Form, **more: Any) -> dict[str, Any]:
    """Return the greedy request for a text that follows the form's constraint."""
    tokens = JSON_TOKENS if form.kind is JSON else TEXT_TOKENS
    return greedy(**{"max_tokens": tokens, **form.sends(api, form.kind.source), **more})
