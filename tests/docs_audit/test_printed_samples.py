"""Printed samples are read as far as possible, with every mistake reported."""

from __future__ import annotations

import json

import pytest

from conformance.docs_audit.page import Sample
from conformance.docs_audit.printed_samples import PrintedChoice, choices_of, parse_leniently, read


def sample(text: str | None, kind: str = "plain", **more: object) -> Sample:
    """A sample with this text."""
    return Sample(**{"name": "s", "answers": (), "kind": kind, "text": text, **more})


@pytest.mark.parametrize(
    ("text", "value", "mistakes"),
    [
        ('{"a": 1}', {"a": 1}, []),
        ('{"a": 1\n"b": 2}', {"a": 1, "b": 2}, [(1, "a comma is missing after it")]),
        ('{"a": 1,\n}', {"a": 1}, [(1, "there is a comma before the closing bracket")]),
        ("[1,\n2, ]", [1, 2], [(2, "there is a comma before the closing bracket")]),
        (
            "[1\n2\n, ]",
            [1, 2],
            [
                (1, "a comma is missing after it"),
                (3, "there is a comma before the closing bracket"),
            ],
        ),
        (
            '{"a": {"b": [1,],},}',
            {"a": {"b": [1]}},
            [(1, "there is a comma before the closing bracket")] * 3,
        ),
        ('{"a": NaN}', None, [(1, "NaN is not valid JSON")]),
        ('{"a"\n: }', None, [(2, "expecting value")]),
        ('{"a": 1', None, [(1, "expecting ',' delimiter")]),
        ("", None, [(1, "expecting value")]),
        ("{} {}", None, [(1, "extra data")]),
        ('{"a": "\n"}', None, [(1, "invalid control character at")]),
    ],
)
def test_json_is_read_past_stray_commas(
    text: str, value: object, mistakes: list[tuple[int, str]]
) -> None:
    found, result = parse_leniently(text)
    assert found == value
    assert [(mistake.line, mistake.wrong) for mistake in result] == mistakes


def test_text_with_endless_mistakes_ends() -> None:
    value, result = parse_leniently("[" + "1 " * 1_000 + "]")
    assert value is None
    assert len(result) == 20


def test_text_with_endless_depth_ends() -> None:
    value, result = parse_leniently("[" * 100_000)
    assert value is None
    assert len(result) == 1


def test_comma_inside_a_string_is_no_mistake() -> None:
    assert parse_leniently('{"a": ",}"}') == ({"a": ",}"}, ())


def test_events_are_read_with_or_without_blank_lines() -> None:
    events = [json.dumps({"n": number}) for number in (1, 2)]
    parted = read(sample("".join(f"data: {e}\n\n" for e in [*events, "[DONE]"]), "stream"))
    joined = read(sample("".join(f"data: {e}\n" for e in [*events, "[DONE]"]), "stream"))
    assert parted.objects == joined.objects == ({"n": 1}, {"n": 2})
    assert (parted.unparted, joined.unparted) == (0, 2)
    assert parted.done
    assert parted.framed


def test_one_event_may_have_several_lines_of_data() -> None:
    reading = read(sample('data: {"a":\ndata: 1}\n\n', "stream"))
    assert reading.unparted == 0


def test_event_mistake_has_the_line_of_the_sample() -> None:
    reading = read(sample('data: {"a": 1}\n\ndata: {"a": 1,}\n\n', "stream"))
    assert [(m.line, m.text) for m in reading.mistakes] == [(3, '{"a": 1,}')]
    assert reading.objects == ({"a": 1}, {"a": 1})
    assert not reading.done


def test_declared_payload_overrides_the_printed_text() -> None:
    assert read(sample(None, payload={"id": "x"})).objects == ({"id": "x"},)


def chunk(index: int, text: str | None, finish: str | None = None, **more: object) -> str:
    """The line of one chunk."""
    choice = {"index": index, "text": text, "finish_reason": finish, **more}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


def test_streamed_choices_are_joined_by_index() -> None:
    arrays = [{"tokens": ["b"], "token_logprobs": [-1]}, {"tokens": ["d"], "token_logprobs": [-2]}]
    text = (
        chunk(1, "a")
        + chunk(0, "b", logprobs=arrays[0])
        + chunk(1, "c", "stop")
        + chunk(0, "d", "length", logprobs=arrays[1])
        + chunk(0, None)
        + 'data: {"choices": []}\n\n'
    )
    first, second = choices_of(read(sample(text, "stream")))
    assert first == PrintedChoice(
        0, "bd", ("length",), {"tokens": ["b", "d"], "token_logprobs": [-1, -2]}
    )
    assert second == PrintedChoice(1, "ac", ("stop",), None)
    assert first.tokens() == ("b", "d")
    assert second.tokens() is None


@pytest.mark.parametrize(
    "response",
    [
        "[]",
        "7",
        '{"choices": 7}',
        '{"choices": [7, null]}',
        '{"choices": [{"logprobs": []}]}',
        '{"choices": [{"index": "x", "text": 7, "logprobs": {"tokens": [1]}}]}',
    ],
)
def test_malformed_response_is_read_without_an_error(response: str) -> None:
    for choice in choices_of(read(sample(response))):
        assert choice.tokens() is None
