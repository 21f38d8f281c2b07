"""Colours and marks in a body: no text is lost or becomes markup."""

import json
import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.report.evidence_spans import merged
from conformance.report.html.highlight import cost, highlighted
from conformance.report.html.response_diff import differences
from tests.report.hostile import ATTACKS


def non_streaming(written: str) -> str:
    return unescape(re.sub(r"</?(?:b|i|u|mark)>", "", written))


def test_names_and_strings_are_distinguished() -> None:
    written = highlighted('{"text": "a<b", "n": 1}')
    assert written == '{<b>"text"</b>: <i>"a&lt;b"</i>, <b>"n"</b>: 1}'


def test_event_stream_fields_are_marked() -> None:
    assert highlighted('data: {"a": 1}\n\ndata: [DONE]') == (
        '<u>data</u>: {<b>"a"</b>: 1}\n\n<u>data</u>: [DONE]'
    )


def test_mark_encloses_partial_tokens() -> None:
    text = '{"text": "abcd"}'
    start = text.index("bc")
    assert highlighted(text, [(start, start + 2)]) == (
        '{<b>"text"</b>: <i>"a</i><mark><i>bc</i></mark><i>d"</i>}'
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_stays_text(attack: str) -> None:
    text = attack * 2
    written = highlighted(text, [(1, len(attack))])
    assert set(re.findall(r"<[^>]*>", written)) <= {
        f"<{slash}{name}>" for slash in ("", "/") for name in ("b", "i", "u", "mark")
    }
    if "&" not in attack:  # a reference that was sent must not be read as one
        assert non_streaming(written) == text


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.text('"\\ab:{},<>&\n', max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=4),
)
def test_highlighting_preserves_text_within_its_cost_estimate(
    text: str, drawn: list[tuple[int, int]]
) -> None:
    spans = merged((at, min(at + size, len(text))) for at, size in drawn if at < len(text))
    assert non_streaming(highlighted(text, spans)) == text
    assert len(highlighted(text).encode()) <= cost(text) + 5 * text.count("\n") + 7


def test_unclosed_string_ends_with_its_line() -> None:
    text = '"' + '\\"' * 200_000
    assert non_streaming(highlighted(text)) == text


ONE = {"id": "cmpl-a", "created": 17, "model": "m", "choices": [{"text": " six", "index": 0}]}


def marked(one: object, other: object) -> tuple[list[str], list[str]]:
    texts = [json.dumps(response, indent=1) for response in (one, other)]
    spans = differences(*texts)
    left, right = (
        [text[start:end] for start, end in found] for text, found in zip(texts, spans, strict=True)
    )
    return left, right


def test_differences_are_marked_in_both_responses() -> None:
    other = {**ONE, "choices": [{"text": " nine", "index": 0}]}
    assert marked(ONE, other) == (["six"], ["nine"])


def test_volatile_fields_are_not_marked() -> None:
    other = {**ONE, "id": "cmpl-b", "created": 18, "model": "n"}
    assert marked(ONE, other) == ([], [])
    assert marked(ONE, ONE) == ([], [])


def test_unrelated_responses_are_not_marked() -> None:
    assert differences("<html>busy", '{"id": 1}') == ((), ())


def test_long_stream_is_compared_event_by_event() -> None:
    def stream(key: str, words: list[str]) -> str:
        events = [{"id": key, "choices": [{"text": word, "index": 0}]} for word in words]
        return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"

    words = [f" w{number}" for number in range(150)]
    one = stream("cmpl-a", words)
    other = stream("cmpl-b", [*words[:70], " other", *words[71:]])
    spans = differences(one, other)
    assert [one[start:end] for start, end in spans[0]] == ["w70"]
    assert [other[start:end] for start, end in spans[1]] == ["other"]


def test_missing_lines_are_marked_in_the_other_response() -> None:
    one, other = "a: 1\nb: 2\nc: 3\n", "a: 1\nc: 3\n"
    assert differences(one, other) == (((5, 9),), ())


def test_equal_lines_are_not_compared_pairwise() -> None:
    one, other = '"a"\n"b"\n' * 2_000, '"a"\n"c"\n' * 2_000
    spans = differences(one, other)
    assert all(len(marks) <= 1 for marks in spans)
    assert differences('"id": "x"', '"id": "y"') == ((), ())
