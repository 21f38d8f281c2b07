"""Right requests keep the rules that no schema states, and use much in few."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.generated.bodies import few_options, right_requests, settled, widest
from conformance.generated.schema_drawing import draw

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
def test_what_does_not_go_together_is_taken_apart(
    more: dict[str, Any], left: dict[str, Any]
) -> None:
    assert settled({**BASE, **more}, OPENAI) == {**BASE, **left}


def test_each_document_has_its_own_rules() -> None:
    told = {**BASE, "temperature": 1, "top_p": 0.5, "n": 2, "best_of": 2}
    other = settled(told, load_contract("zhizengzeng"))
    assert "top_p" not in other
    assert other["best_of"] == 3
    assert settled(BASE, load_contract("eronmind"))["stream"] is False


def test_a_request_has_few_options_and_all_that_is_required() -> None:
    options = {"echo": True, "n": 1, "seed": 1, "stop": "x", "user": "u", "logprobs": 1}
    assert list(few_options({**options, **BASE}, OPENAI)) == [*list(options)[:4], *BASE]


def test_the_widest_bodies_are_chosen_first_and_none_twice() -> None:
    narrow, wide, other = BASE, {**BASE, "n": 2, "seed": 1}, {**BASE, "echo": True}
    assert widest([narrow, wide, narrow, other], OPENAI, 3) == [wide, other, narrow]
    assert widest([narrow, narrow], OPENAI, 3) == [narrow]


def test_a_value_at_its_limit_is_another_than_one_within() -> None:
    within, at_limit = {**BASE, "temperature": 1}, {**BASE, "temperature": 2}
    assert widest([within, within, at_limit], OPENAI, 2) == [within, at_limit]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_asked_fits_the_contract(document: str) -> None:
    contract = load_contract(document)
    bodies = right_requests(draw(contract, "m", "positive", 30, 3), contract, plain=3, streamed=3)
    assert [body.get("stream") is True for body in bodies] == [False] * 3 + [True] * 3
    for body in bodies:
        assert contract.validate_request(body) == ()
        assert settled(body, contract) == body


def test_streams_are_left_out_where_nobody_mentions_them() -> None:
    contract = load_contract("openai")
    assert len(right_requests([BASE], contract, plain=1, streamed=0)) == 1
