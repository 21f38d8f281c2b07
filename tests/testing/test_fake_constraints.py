"""Texts that the fake endpoint writes under a constraint."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.testing.fake_constraints import draw_of
from tests.cases import for_each_case

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "kind": {"enum": ["a", "é", 3]},
        "of": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
        "count": {"type": "integer", "minimum": 1},
        "no": {"const": None},
    },
    "required": ["name", "kind", "of", "count", "no"],
}


def drawn(body: dict[str, Any]) -> list[str]:
    draw = draw_of(body)
    assert draw is not None
    return [draw(random.Random(seed)) for seed in range(20)]


@for_each_case(
    "pattern", ["[0-9]{2}-[a-f]", "(红|绿)(茶|豆)", r"\d{3}(?:ab|c)+x*\.[^a-z]?", r"[\]a]\n"]
)
def test_whole_texts_match_the_expression(pattern: str) -> None:
    assert all(re.fullmatch(pattern, text) for text in drawn({"regex": pattern}))


@for_each_case(
    ("grammar", "pattern"),
    [
        ('root ::= ("up" | "down") "-" [0-9]', "(up|down)-[0-9]"),
        ('root ::= x x?\nx ::= [a-c]{2} y\ny ::= "\\n" | "."', "([a-c]{2}[\\n.]){1,2}"),
    ],
)
def test_texts_follow_the_grammar(grammar: str, pattern: str) -> None:
    assert all(re.fullmatch(pattern, text) for text in drawn({"ebnf": grammar}))


@for_each_case(
    "body",
    [
        {"json_schema": SCHEMA},
        {"json_schema": json.dumps(SCHEMA)},
        {"structured_outputs": {"json": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
    ],
)
def test_texts_are_valid_under_the_schema(body: dict[str, Any]) -> None:
    values = [json.loads(text) for text in drawn(body)]
    assert all(Draft202012Validator(SCHEMA).is_valid(value) for value in values)


def test_both_choices_are_drawn() -> None:
    assert set(drawn({"structured_outputs": {"choice": ["red", "green"]}})) == {"red", "green"}


@for_each_case("body", [{}, {"regex": None}, {"response_format": {"type": "text"}}])
def test_nothing_is_no_constraint(body: dict[str, Any]) -> None:
    assert draw_of(body) is None


@for_each_case(
    "body",
    [
        {"regex": "[0-9"},
        {"regex": "(?<=a)b"},
        {"ebnf": 'root ::= ("a"'},
        {"ebnf": 'rot ::= "a"'},
        {"ebnf": "root ::= root"},
        {"regex": "a", "ebnf": 'root ::= "a"'},
        {"json_schema": {"type": "nonsense"}},
        {"json_schema": "{"},
        {"json_schema": {"type": "string", "pattern": "^b$"}},
        {"structured_outputs": {"choice": []}},
        {"structured_outputs": {"regex": "a", "choice": ["a"]}},
        {"response_format": {"type": "xml"}},
    ],
)
def test_what_cannot_be_followed_is_rejected(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        draw_of(body)
