"""Overlays that attack: each is refused with one short sentence, and quickly."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from conformance.contract import ContractError, load_contract
from conformance.contract.bounds import why_not_linear
from conformance.contract.files import MAX_SENTENCE_CHARS
from conformance.contract.overlay import OverlayError, apply_overlay
from tests.cases import for_each_case

MAX_SECONDS = 10.0

HEAD = """\
overlay: 1.1.0
info: {title: Ours, version: 1.0.0}
"""
COMPLETION = "$.components.schemas.Completion.properties"


def update(value: str, target: str = COMPLETION) -> str:
    return f"{HEAD}actions:\n  - target: {target}\n    update: {value}\n"


def laughs(levels: int, indent: str = "") -> str:
    """Return aliases of aliases: nine to the power of ``levels`` texts."""
    lines = [f"{indent}a0: &a0 [lol]"]
    for level in range(1, levels):
        nine = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"{indent}a{level}: &a{level} [{nine}]")
    return "\n".join(lines)


def merges(levels: int) -> str:
    lines = ["x-0: &m0 {k0: 1, k1: 1}"]
    for level in range(1, levels):
        nine = ", ".join([f"*m{level - 1}"] * 9)
        lines.append(f"x-{level}: &m{level} {{<<: [{nine}], own: 1}}")
    return "\n".join(lines)


def references(levels: int) -> str:
    schemas = [
        f"L{level}: {{allOf: [{', '.join([reference(f'L{level + 1}')] * 9)}]}}"
        for level in range(levels)
    ]
    end = f"L{levels}: {{type: string}}"
    return update(f"{{{', '.join([*schemas, end])}}}", "$.components.schemas")


def reference(name: str) -> str:
    return f"{{$ref: '#/components/schemas/{name}'}}"


REFUSED = [
    ("a cycle of aliases", HEAD + "x-a: &a [*a]\nactions: []", "line 3: the alias *a is inside"),
    (
        "a cycle in update",
        update("&a {b: {c: *a}}"),
        "line 5: the alias *a is inside its own anchor",
    ),
    ("aliases of aliases", HEAD + laughs(9).replace("a", "x-a", 1), "line"),
    ("in update", update("\n" + laughs(9, "      ")), "values when its aliases are expanded"),
    ("merge keys", HEAD + merges(9), "values when its aliases are expanded"),
    ("one alias very often", update(f"[&a {[0] * 400}, {'*a, ' * 400}]"), "aliases are expanded"),
    ("many values", update(str([0] * 100_001)), "has more than 100,000 values"),
    ("deep lists", update("[" * 100_000), "nest"),
    ("deep objects", update("{a: " * 100_000), "line 5: is nested more than 40 levels deep"),
    ("deep blocks", "\n".join(f"{' ' * n}a:" for n in range(300)), "nested more than 40"),
    ("a tag of Python", update("!!python/object/apply:os.system [id]"), "only values of JSON"),
    ("a local tag", update("!thing {}"), "line 5: has the tag `!thing`"),
    ("a set", update("!!set {a, b}"), "only values of JSON are allowed"),
    ("binary", update("!!binary aGk="), "only values of JSON are allowed"),
    ("a long integer", update(f"{{maximum: {'9' * 5000}}}"), "line 5: has a number with more than"),
    ("base 60", update(f"{{maximum: {'1:' * 50_000}1}}"), "line 5: has a number with more than"),
    ("a tagged integer", update(f"{{maximum: !!int '{'9' * 5000}'}}"), "a number with more than"),
    ("no integer", update("{maximum: !!int nine}"), "contains an invalid value"),
    ("infinity", update("{maximum: .inf}"), "has the value inf"),
    ("no number", update("{maximum: .nan}"), "has the value nan"),
    ("a number as key", update("{id: {1: one}}"), "has the key 1"),
    ("null as key", update("{id: {null: one}}"), "has the key None"),
    ("an object as key", update("{? {a: b} : one}"), "is not valid YAML"),
    ("a key twice", HEAD + "info: {}\nactions: []", "line 3: has the key `info` twice"),
    ("a NUL", HEAD + "x-a: \x00", "is not valid YAML"),
    ("an escape sequence", HEAD + "x-\x1b[31m: 1", "is not valid YAML"),
    ("an escaped one", HEAD + '"\\e[31m": 1', "unknown field `\\x1b[31m`"),
    ("a long name", HEAD + f"? {'a' * 100_000}\n: 1", "has an unknown field"),
    ("two documents", HEAD + "---\na: 1", "is not valid YAML"),
    ("an undefined alias", HEAD + "x-a: *b", "is not valid YAML"),
    ("nothing", "", "must be a mapping"),
    (
        "a self-reference",
        update(f"{{more: {{items: {reference('Completion')}}}}}"),
        "refers to itself",
    ),
    (
        "a reference to itself",
        update(f"{{A: {reference('A')}}}", "$.components.schemas"),
        "the schema A refers to itself (A → A)",
    ),
    (
        "a cycle of references",
        update(
            f"{{A: {{allOf: [{reference('B')}]}}, B: {{properties: {{a: {reference('A')}}}}}}}",
            "$.components.schemas",
        ),
        "the schema A refers to itself (A → B → A)",
    ),
    (
        "a cycle through a response",
        update(f"{{more: {reference('Completion')}}}"),
        "the schema Completion refers to itself",
    ),
    ("references of references", references(9), "parts when its references are expanded"),
    (
        "a URL",
        update("{more: {$ref: 'http://127.0.0.1:1/schema.json'}}"),
        "other files and URLs are never read",
    ),
    ("a file", update("{more: {$ref: 'file:///etc/passwd'}}"), "other files and URLs"),
    ("a relative file", update("{more: {$ref: '../x.yaml#/a'}}"), "other files and URLs"),
    ("an unknown schema", update(f"{{more: {reference('Nothing')}}}"), "of a schema in the"),
    ("another base", update("{more: {$id: 'http://x/'}}"), "$id is not supported"),
    ("a dynamic reference", update("{more: {$dynamicRef: '#a'}}"), "$dynamicRef is not supported"),
    ("a slow pattern", update("{more: {pattern: '(a+)+$'}}"), "which repeats a group"),
    ("slow names", update("{more: {patternProperties: {'(a|a)*$': {}}}}"), "repeats a group"),
    ("a broken pattern", update("{more: {pattern: '('}}"), "'(' is not a 'regex'"),
    ("regex in a path", update("{}", "$.paths[?match(@.a, '(a+)+$')]"), "action 1"),
    ("descents of descents", update("{}", "$..*..*..*..*"), "could take too long"),
    ("a query for each node", update("{}", "$.paths[?$..a]"), "could take too long"),
    (
        "doubling copies",
        HEAD
        + "actions:\n"
        + "".join(
            f"  - {{target: $.info, update: {{x-{n}: {{}}}}}}\n"
            f"  - {{target: $.info.x-{n}, copy: $.components}}\n"
            for n in range(200)
        ),
        "the overlay adds more than 100,000 values",
    ),
    (
        "nesting copies",
        HEAD
        + "actions:\n  - {target: $.info, update: {a: {}}}\n"
        + "".join(f"  - {{target: $.info{'.a' * n}, copy: $.info}}\n" for n in range(1, 40)),
        "makes the description nest too deeply",
    ),
    (
        "many actions",
        HEAD + f"actions: [{'{target: $, remove: true}, ' * 1001}]",
        "more than 1,000",
    ),
]


@for_each_case("case, text, sentence", REFUSED)
def test_attack_is_refused_with_its_reason(
    tmp_path: Path, case: str, text: str, sentence: str
) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(text, "utf-8")
    began = time.process_time()
    with pytest.raises(ContractError) as caught:
        load_contract(str(path))
    message = str(caught.value)
    assert sentence in message, f"{case}: {message}"
    assert message.startswith((f"{path}: ", f"{path}, line ")), message
    assert "invalid value (line" not in message
    assert message.isprintable()
    assert len(message) <= MAX_SENTENCE_CHARS
    assert time.process_time() - began < MAX_SECONDS


@for_each_case(
    "pattern, reason",
    [
        ("^cmpl-[A-Za-z0-9]+$", None),
        (r"\A[0-9a-f]{8}-[0-9a-f]{4}", None),
        ("^(list|text_completion)$", None),
        ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", None),
        ("", None),
        ("a+", "has an unbounded repeat (*, + or {n,}) but does not begin with ^"),
        ("^a+b*$", "has more than one unbounded repeat (*, + or {n,})"),
        ("^(a|a)*$", "repeats a group"),
        ("^(a?){50}$", "repeats a group"),
        ("^a{0,40}a{0,40}a{0,40}$", "can match in too many ways"),
        ("^" + "(aa|bb|cc)" * 5, "can match in too many ways"),
        ("a{1000}b", "is long but does not begin with ^"),
        (r"^(a)\1", "contains a back-reference or an assertion"),
        ("^(?=a)", "contains a back-reference or an assertion"),
        ("(" * 200, "is not a regular expression"),
        ("a" * 501, "has more than 500 characters"),
    ],
)
def test_only_linear_patterns_are_accepted(pattern: str, reason: str | None) -> None:
    assert why_not_linear(pattern) == reason


def test_value_that_contains_itself_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    overlay = {
        "overlay": "1.1.0",
        "info": {"title": "t", "version": "1"},
        "actions": [{"target": "$", "update": endless}],
    }
    with pytest.raises(OverlayError, match="the overlay adds more than"):
        apply_overlay({}, overlay)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


@for_each_case(
    "make, sentence",
    [
        (fifo, "it is a pipe, not a file"),
        (sparse, "has more than 2 MiB, too much to read"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
        (lambda path: path.symlink_to(path), "unknown contract"),
        (lambda path: path.mkdir(), "unknown contract"),
        (lambda path: path.write_bytes(b"\x1f\x8b\x08"), "is compressed; decompress it"),
    ],
)
def test_file_that_is_no_text_is_refused(tmp_path: Path, make: object, sentence: str) -> None:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.yaml"
    assert callable(make)
    make(path)
    with pytest.raises(ContractError, match=sentence):
        load_contract(str(path))


@for_each_case("name", ["a\x00b", "\ud800", "a" * 100_000, "\x1b[31m", ""], ids=ascii)
def test_name_that_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(ContractError, match="unknown contract") as caught:
        load_contract(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= MAX_SENTENCE_CHARS


def test_bundled_name_does_not_skip_the_checks(tmp_path: Path) -> None:
    path = tmp_path / "zero.yaml"
    path.write_text(update("{more: {pattern: '(a+)+$'}}"), "utf-8")
    with pytest.raises(ContractError, match="repeats a group"):
        load_contract(str(path))


def test_dates_and_aliases_stay_usable(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(
        "overlay: 1.1.0\n"
        "info: {title: Ours, version: 2026-01-01}\n"
        "x-limit: &limit {maximum: 7}\n"
        "actions:\n"
        "  - target: $.components.schemas.CreateCompletionRequest.properties.n\n"
        "    update: {<<: *limit}\n",
        "utf-8",
    )
    assert load_contract(str(path)).parameter("n").maximum == 7


def test_huge_integer_is_a_number_of_a_body() -> None:
    body = {"id": "a", "object": "text_completion", "created": 10**4000, "model": "m"}
    paths = {violation.path for violation in load_contract("openai").validate_completion(body)}
    assert "created" not in paths
