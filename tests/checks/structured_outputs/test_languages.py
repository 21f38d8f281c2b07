"""Which texts follow a constraint, and which only begin like one that does."""

from __future__ import annotations

import json
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.checks.structured_outputs.languages import AnyObject, JsonObjects, compact, texts
from conformance.checks.structured_outputs.stimuli import FORMS, FRUIT, Form, schema_of
from tests.cases import for_each_case

FRUITS = JsonObjects(FRUIT)
VALID = Draft202012Validator(schema_of(FRUIT))

LAYOUTS = st.sampled_from(
    [{"indent": 2}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}, {}]
)
VALUES = st.fixed_dictionaries({"colour": st.sampled_from(["red", "green"]), "ripe": st.booleans()})


@given(value=VALUES, layout=LAYOUTS, backwards=st.booleans())
def test_json_may_have_any_layout_and_order(value: dict, layout: dict, backwards: bool) -> None:
    text = json.dumps(dict(reversed(value.items())) if backwards else value, **layout)
    assert FRUITS.allows(text)
    assert all(FRUITS.begins(text[:end]) for end in range(len(text) + 1))


@for_each_case(
    "text",
    [
        "",
        "{}",
        "red",
        '{"colour": "red"}',
        '{"colour": "red", "ripe": 1}',
        '{"colour": "blue", "ripe": true}',
        '{"colour": "red", "ripe": true, "size": 3}',
        '{"colour": "red", "ripe": true',
        '{"colour": "red", "ripe": true}}',
        '[{"colour": "red", "ripe": true}]',
        "null",
        "[" * 100_000,
    ],
)
def test_other_texts_are_not_allowed(text: str) -> None:
    assert not FRUITS.allows(text)


@given(st.text(alphabet='{}[]:,"\\ \n colourredgnip01truefalse', max_size=40))
def test_whole_texts_are_those_the_schema_allows(text: str) -> None:
    try:
        is_valid = VALID.is_valid(json.loads(text))
    except ValueError:
        is_valid = False
    assert FRUITS.allows(text) == is_valid


@for_each_case("text", [" 4, 5", '{"color', '{"colour": "b', '{"ripe": 1', "[", '{"a', "So: {"])
def test_other_beginnings_are_noticed(text: str) -> None:
    assert not FRUITS.begins(text)


@for_each_case("text", ['{"c\\u006f', '{"colour": "\\u0072ed", "ri', '{"colour": "r\\'])
def test_what_follows_an_escape_is_left_open(text: str) -> None:
    assert FRUITS.begins(text)


@for_each_case(("text", "kept"), [('{ "a b" :\n"c', '{"a b":"c'), ('"\\" " , 1', '"\\" ",1')])
def test_whitespace_inside_strings_is_kept(text: str, kept: str) -> None:
    assert compact(text) == kept


def test_texts_join_one_piece_of_each_part() -> None:
    language = texts(("up", "down"), "-", "01")
    assert all(language.allows(f"{a}-{b}") for a, b in product(("up", "down"), "01"))
    assert language.begins("do")
    assert not language.begins("down-01")
    assert not language.allows("down-")


def test_any_object_is_known_by_its_brace() -> None:
    assert AnyObject().allows(' {"a": [1]}\n')
    assert not AnyObject().allows("[]")
    assert AnyObject().begins("\n {")
    assert not AnyObject().begins("4, 5")


@for_each_case("form", FORMS)
def test_examples_are_allowed(form: Form) -> None:
    for language in (form.kind.language, form.kind.chinese_language):
        assert language.allows(language.example)


def test_no_usual_text_follows_a_constraint() -> None:
    usual = " 13, 14, 15, 16"
    assert not any(form.kind.language.begins(usual) for form in FORMS)
