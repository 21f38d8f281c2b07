"""Which characters of a text its tokens do not show."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.checks.echo.characters import lost_characters


@pytest.mark.parametrize(
    ("tokens", "text", "lost"),
    [
        pytest.param(["\ufffd", "", "天", "", "早"], "今天早", [(0, "今")], id="the first"),
        pytest.param(["", "", "今", "天"], "今天", [], id="whole with the last part"),
        pytest.param(["bytes:\\xe4\\xbb", "bytes:\\x8a", "天"], "今天", [], id="as bytes"),
        pytest.param(["<s>", "今", "天"], "今天", [], id="behind a start token"),
        pytest.param(["", "", "天", ""], "今天早", [(0, "今"), (2, "早")], id="several"),
        pytest.param([" 今", "天"], "今天", [], id="a space before the text"),
        pytest.param(["b", "a"], "a", [], id="a start token of letters"),
        pytest.param(["a", "c"], "ab", None, id="other tokens"),
        pytest.param(["a", ""], "a \n", [], id="white space"),
    ],
)
def test_lost_characters_are_found_by_position(
    tokens: Sequence[str], text: str, lost: list[tuple[int, str]] | None
) -> None:
    assert lost_characters(tokens, text) == lost
