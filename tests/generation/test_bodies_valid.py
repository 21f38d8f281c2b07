"""Valid requests keep rules that the schema cannot state, and few of them use many parameters."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.generation.bodies_valid import (
    most_diverse,
    valid_requests,
    with_few_options,
    without_conflicts,
)
from conformance.generation.schemathesis_driver import generate_bodies

OPENAI = load_contract("openai")
BASE: dict[str, Any] = {"model": "m", "prompt": "a", "max_tokens": 1}


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"stream_options": {"include_usage": True}}, {}),
        (
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": True, "stream_options": {"include_usage": True}},
        ),
        ({"stream": True, "best_of": 2}, {"stream": True}),
        ({"n": 2, "best_of": 1}, {"n": 2, "best_of": 2}),
        ({"n": 2, "best_of": None}, {"n": 2, "best_of": None}),
        ({"n": 2, "temperature": 0}, {"n": 2, "temperature": 1}),
        ({"best_of": 2, "temperature": 0}, {"best_of": 2, "temperature": 1}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"echo": True, "logprobs": 0}, {"logprobs": 0}),
        ({"echo": True, "logprobs": None}, {"echo": True, "logprobs": None}),
        ({"echo": False, "logprobs": 1}, {"echo": False, "logprobs": 1}),
        ({"suffix": "b", "echo": True}, {"echo": True}),
        ({"suffix": "b", "prompt": ["a"]}, {"prompt": ["a"]}),
        ({"suffix": "b", "prompt": [1, 2]}, {"suffix": "b", "prompt": [1, 2]}),
    ],
)
def test_conflicting_parameters_are_removed(more: dict[str, Any], left: dict[str, Any]) -> None:
    assert without_conflicts({**BASE, **more}, OPENAI) == {**BASE, **left}


def test_conflicts_depend_on_the_document() -> None:
    body = {**BASE, "temperature": 1, "top_p": 0.5, "n": 2, "best_of": 2}
    other = without_conflicts(body, load_contract("zhizengzeng"))
    assert "top_p" not in other
    assert other["best_of"] == 3
    assert without_conflicts(BASE, load_contract("eronmind"))["stream"] is False


def test_optional_parameters_are_limited() -> None:
    options = {"echo": True, "n": 1, "seed": 1, "stop": "x", "user": "u", "logprobs": 1}
    assert list(with_few_options({**options, **BASE}, OPENAI)) == [*list(options)[:4], *BASE]


def test_most_diverse_bodies_are_chosen_once() -> None:
    narrow, wide, other = BASE, {**BASE, "n": 2, "seed": 1}, {**BASE, "echo": True}
    assert most_diverse([narrow, wide, narrow, other], OPENAI, 3) == [wide, other, narrow]
    assert most_diverse([narrow, narrow], OPENAI, 3) == [narrow]


def test_value_at_limit_is_its_own_kind() -> None:
    within, at_limit = {**BASE, "temperature": 1}, {**BASE, "temperature": 2}
    assert most_diverse([within, within, at_limit], OPENAI, 2) == [within, at_limit]


@pytest.mark.parametrize("document", CONTRACTS)
def test_valid_requests_fit_the_contract(document: str) -> None:
    contract = load_contract(document)
    bodies = valid_requests(
        generate_bodies(contract, "m", "positive", 30, 3), contract, non_streaming=3, streamed=3
    )
    assert [body.get("stream") is True for body in bodies] == [False] * 3 + [True] * 3
    for body in bodies:
        assert contract.validate_request(body) == ()
        assert without_conflicts(body, contract) == body


def test_no_streams_unless_wanted() -> None:
    contract = load_contract("openai")
    assert len(valid_requests([BASE], contract, non_streaming=1, streamed=0)) == 1
