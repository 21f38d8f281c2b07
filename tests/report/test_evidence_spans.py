"""The marked spans of a body are exactly what a finding mentions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.report.evidence_spans import MAX_MARKS, Spans, pointed_out
from tests.report.hostile import ATTACKS


def marks(body: str, *result: str) -> list[str]:
    return [body[start:end] for start, end in pointed_out(body, result)]


BODY = json.dumps(
    {
        "id": "cmpl-1",
        "choices": [
            {"text": " 十三 🍎", "index": 0, "finish_reason": "stop"},
            {"text": " 13", "index": 1, "finish_reason": "length"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 18, "total_tokens": 18},
    },
    ensure_ascii=False,
)


@pytest.mark.parametrize(
    ("result", "marked"),
    [
        ("usage.total_tokens = 18", ['"total_tokens": 18']),
        ("completion_tokens of the longer answer = 18", ['"completion_tokens": 18']),
        ('finish_reason of choice 1 = "length"', ['"finish_reason": "length"']),
        ("prompt_tokens = true", []),
        ("prompt_tokens = 2", []),
        ('" 十三 🍎" vs. " 12" (both reproduced)', [" 十三 🍎"]),
        ("status 200", []),
        ('a lone " quote', []),
    ],
)
def test_names_with_values_and_texts_are_found(result: str, marked: list[str]) -> None:
    assert marks(BODY, result) == marked


def test_text_is_found_in_any_escaping() -> None:
    assert marks(json.dumps({"text": "十\u0007三"}), 'seen "十\\u0007三"') == [
        "\\u5341\\u0007\\u4e09"
    ]


def test_overlapping_marks_are_joined() -> None:
    assert marks(BODY, "total_tokens = 18", 'id = "cmpl-1"') == [
        '"id": "cmpl-1"',
        '"total_tokens": 18',
    ]
    assert marks('{"a": "abcd"}', '"abc"', '"bcd"') == ["abcd"]


def test_marks_are_limited() -> None:
    assert len(marks("xy, " * 100, '"xy"')) == MAX_MARKS


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_body_is_marked_in_order(attack: str) -> None:
    body = attack * 3
    assert_in_order(body, pointed_out(body, [attack, f"x = {attack}"]))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=60), st.lists(st.text('ab"=: {}[]1\\', max_size=20), max_size=3))
def test_marks_are_ordered_and_separate(body: str, result: list[str]) -> None:
    assert_in_order(body, pointed_out(body, result))


def assert_in_order(body: str, spans: Spans) -> None:
    places = [place for span in spans for place in span]
    assert places == sorted(set(places))
    assert all(0 <= place <= len(body) for place in places)
