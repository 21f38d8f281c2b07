"""A test case as a request, and smaller ones."""

from __future__ import annotations

import json

import pytest

from conformance.checks._shared.requests import MAX_TOKENS, greedy
from conformance.checks.interactions.cases import ASCII, TestCase

OTHER = "一二三"
CASE = TestCase(
    (OTHER, ASCII),
    {
        "stream": True,
        "stream_options": {"include_usage": True},
        "n": 2,
        "best_of": 2,
        "echo": True,
        "stop": None,
        "seed": None,
    },
    max_tokens=0,
    escaped=True,
)


def test_case_without_traits_is_the_plainest() -> None:
    case = TestCase((ASCII,))
    assert case.body == greedy(ASCII)
    assert case.traits == ()
    assert list(case.smaller()) == []


def test_body_is_escaped_or_utf_8() -> None:
    written = CASE.encoded("m")
    assert written.isascii()
    assert json.loads(written)["prompt"] == [OTHER, ASCII]
    assert OTHER.encode() in TestCase((OTHER,)).encoded("m")


def test_prompts_are_written_in_every_form() -> None:
    assert TestCase((ASCII,), listed=True).body["prompt"] == [ASCII]
    assert TestCase(((1, 2),)).body["prompt"] == [1, 2]
    assert TestCase(((1, 2), (3,))).body["prompt"] == [[1, 2], [3]]


def test_dependent_traits_are_taken_away() -> None:
    assert "stream_options" not in CASE.without("stream").settings
    assert "best_of" not in CASE.without("n").settings
    assert CASE.without("echo").max_tokens == 1
    assert CASE.without("limit").max_tokens == 16


@pytest.mark.parametrize("trait", CASE.traits)
def test_trait_alone_keeps_what_it_needs(trait: str) -> None:
    alone = CASE.alone(trait)
    assert trait in alone.traits
    needed = {"stream_options": {"stream"}, "best_of": {"n"}, "limit": {"echo"}}
    assert set(alone.traits) - {trait, "prompt"} <= needed.get(trait, set())


def size(case: TestCase) -> int:
    return len(case.prompts) + len(case.settings) + case.escaped + (case.max_tokens != MAX_TOKENS)


def test_smaller_cases_lack_each_trait_once() -> None:
    smaller = list(CASE.smaller())
    assert all(size(case) < size(CASE) for case in smaller)
    assert {case.prompts for case in smaller if len(case.prompts) == 1} == {(OTHER,), (ASCII,)}
    for trait in set(CASE.traits) - {"batch"}:
        assert any(trait not in case.traits for case in smaller)


def test_description_names_the_settings() -> None:
    description = TestCase((ASCII,), {"stream": True, "n": 2}, max_tokens=5).description
    assert description == f'prompt: "{ASCII}", stream: true, n: 2, max_tokens: 5'
    assert "JSON with escapes" in CASE.description


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"suffix": "x"}, "suffix"),
        ({"stream": True}, None),
        # Only a stream has options, so that it is no other setting beside them.
        ({"stream": True, "stream_options": {"include_usage": True}}, "stream_options"),
        ({"n": 2, "echo": True}, None),
    ],
)
def test_only_setting_is_named(settings: dict[str, object], expected: str | None) -> None:
    assert TestCase((ASCII,), settings).only_setting == expected
