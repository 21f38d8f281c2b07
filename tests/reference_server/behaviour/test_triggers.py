"""A trigger limits a behaviour to the requests it names."""

from __future__ import annotations

import pytest

from reference_server.behaviour import builders
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger, triggered
from tests.reference_server.behaviour.toy_server import Toy, responses, texts_of

SHOUT = builders.texts(lambda request, index, text: text.upper())  # noqa: ARG005


def shouted(trigger: Trigger, body: Body) -> list[tuple[int, str]]:
    (response,) = responses(triggered(SHOUT, trigger), body)
    return texts_of(response)


@pytest.mark.parametrize(
    ("trigger", "there", "elsewhere"),
    [
        (Trigger.STREAM, {"stream": True}, {"stream": False}),
        (Trigger.NON_STREAMING, {}, {"stream": True}),
        (Trigger.BATCH, {"prompt": ["a", "b"]}, {"prompt": ["a"]}),
        (Trigger.NON_ASCII, {"prompt": "é"}, {"prompt": "a"}),
        (Trigger.NON_ASCII, {"stop": ["。"]}, {"stop": ["."]}),
        (Trigger.ECHO, {"echo": True}, {"echo": False}),
    ],
)
def test_trigger_applies_to_matching_requests(
    trigger: Trigger, there: Body, elsewhere: Body
) -> None:
    assert all(text.isupper() for _, text in shouted(trigger, {"prompt": "a", **there}))
    assert all(text.islower() for _, text in shouted(trigger, {"prompt": "a", **elsewhere}))


@pytest.mark.parametrize("stream", [False, True])
def test_second_choice_differs_from_the_first(stream: bool) -> None:
    body = {"prompt": "a", "n": 3, "stream": stream}
    assert shouted(Trigger.SECOND_CHOICE, body) == [(0, "a"), (1, "A"), (2, "A")]


def test_unnumbered_second_choice_is_recognised_by_position() -> None:
    unnumbered = Rewrite(
        non_streaming=lambda _, whole: {
            **whole,
            "choices": [{"text": choice["text"]} for choice in whole["choices"]],
        }
    )
    (response,) = responses(triggered(unnumbered, Trigger.SECOND_CHOICE), {"prompt": "a", "n": 2})
    assert response.body["choices"] == [{"text": "a", "index": 0}, {"text": "a"}]


def test_changed_second_choice_keeps_one_response() -> None:
    renamed = triggered(builders.sets(prompt="b"), Trigger.SECOND_CHOICE)
    (non_streaming,) = responses(renamed, {"prompt": "a", "n": 2})
    assert texts_of(non_streaming) == [(0, "a"), (1, "b")]
    (streamed,) = responses(renamed, {"prompt": "a", "n": 2, "stream": True})
    assert texts_of(streamed) == [(0, "a"), (1, "b")]
    assert {chunk["id"] for chunk in streamed.chunks} == {"cmpl-1"}


def test_lost_second_choice_stays_lost() -> None:
    (response,) = responses(
        triggered(builders.drops("n"), Trigger.SECOND_CHOICE), {"prompt": "a", "n": 3}
    )
    assert texts_of(response) == [(0, "a")]


def test_every_third_changeable_response_is_changed() -> None:
    dropping = triggered(builders.drops("n"), Trigger.EVERY_THIRD)
    with_n, without = {"prompt": "a", "n": 2}, {"prompt": "a"}
    result = responses(dropping, with_n, without, with_n, without, without, with_n, with_n)
    assert [len(texts_of(response)) for response in result] == [2, 1, 2, 1, 1, 1, 2]


def test_equal_requests_reach_the_server_once() -> None:
    toy = Toy()
    responses(triggered(SHOUT, Trigger.EVERY_THIRD), {"prompt": "a"}, toy=toy)
    assert len(toy.met) == 1
