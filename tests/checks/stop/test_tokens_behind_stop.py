"""How many tokens a stop sequence needs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.checks.stop.tokens import tokens_needed


@pytest.mark.parametrize(
    ("tokens", "stops", "needed"),
    [
        pytest.param([" 1", "3", ",", " 1"], ["3,"], 3, id="completed by a token"),
        pytest.param([" red", " green"], ["re"], 1, id="inside a token"),
        pytest.param([" 1", "3", ","], [",", "3"], 2, id="the first to be completed"),
        pytest.param([" 1", "3"], ["4"], None, id="no sequence"),
        pytest.param(["a", "bytes:\\xe5\\x93", "bytes:\\x88", "b"], ["哈"], 3, id="parts"),
        pytest.param(["a", "", "\ufffd", "b"], ["b"], None, id="behind unknown bytes"),
        pytest.param(["a", "b", ""], ["b"], 2, id="before unknown bytes"),
    ],
)
def test_tokens_up_to_a_stop_sequence_are_counted(
    tokens: Sequence[str], stops: Sequence[str], needed: int | None
) -> None:
    assert tokens_needed(tokens, stops) == needed
