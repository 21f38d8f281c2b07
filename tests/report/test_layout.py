"""JSON is indented for reading, with every literal unchanged."""

import json

import pytest

from conformance.report.html.layout import DEEPEST, lay_out


def test_short_flat_parts_stay_on_a_line() -> None:
    assert lay_out('{"a":{"b":[1,2,3]},"c":"x"}') == (
        '{\n  "a": {\n    "b": [1, 2, 3]\n  },\n  "c": "x"\n}'
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1.0, "a": 2.50, "b": -1e-7}',
        '["\\u4e00", "brackets ]}{[ and \\" quotes", true, null]',
        '{"n": 123456789012345678901234567890}',
        "[]",
        '{"long": [' + ", ".join(["-0.123456789"] * 40) + "]}",
    ],
)
def test_only_white_space_changes(text: str) -> None:
    def squeezed(written: str) -> str:
        return "".join(written.split())

    assert squeezed(lay_out(text)) == squeezed(text)


@pytest.mark.parametrize("text", ["", "data: {}\n\n", "<html>", '{"a": }', "NaN is not JSON"])
def test_invalid_json_is_unchanged(text: str) -> None:
    assert lay_out(text) == text


@pytest.mark.parametrize("depth", [DEEPEST + 2, 100_000])
def test_deeply_nested_json_is_not_indented(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    assert lay_out(nest) == nest


def test_layout_is_the_same_document() -> None:
    text = json.dumps({"choices": [{"text": " 13", "logprobs": {"tokens": [" 13"] * 30}}]})
    assert json.loads(lay_out(text)) == json.loads(text)
