"""A modifier lets a behaviour show where it says, and nowhere else."""

from __future__ import annotations

import pytest

from reference_server.behaviour import builders as pieces
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier, narrowed
from tests.reference_server.behaviour.toy import Toy, answers, texts_of

SHOUT = pieces.texts(lambda asked, index, text: text.upper())  # noqa: ARG005


def shouted(modifier: Modifier, body: Body) -> list[tuple[int, str]]:
    (answer,) = answers(narrowed(SHOUT, modifier), body)
    return texts_of(answer)


@pytest.mark.parametrize(
    ("modifier", "there", "elsewhere"),
    [
        (Modifier.STREAM, {"stream": True}, {"stream": False}),
        (Modifier.PLAIN, {}, {"stream": True}),
        (Modifier.BATCH, {"prompt": ["a", "b"]}, {"prompt": ["a"]}),
        (Modifier.NON_ASCII, {"prompt": "é"}, {"prompt": "a"}),
        (Modifier.NON_ASCII, {"stop": ["。"]}, {"stop": ["."]}),
        (Modifier.ECHO, {"echo": True}, {"echo": False}),
    ],
)
def test_it_shows_where_the_request_is_such(
    modifier: Modifier, there: Body, elsewhere: Body
) -> None:
    assert all(text.isupper() for _, text in shouted(modifier, {"prompt": "a", **there}))
    assert all(text.islower() for _, text in shouted(modifier, {"prompt": "a", **elsewhere}))


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_choice_differs_from_the_first(stream: bool) -> None:
    body = {"prompt": "a", "n": 3, "stream": stream}
    assert shouted(Modifier.SECOND_CHOICE, body) == [(0, "a"), (1, "A"), (2, "A")]


def test_the_second_choice_is_known_by_its_place_where_its_number_is_what_is_wrong() -> None:
    unnumbered = Rewrite(
        plain=lambda _, whole: {
            **whole,
            "choices": [{"text": choice["text"]} for choice in whole["choices"]],
        }
    )
    (answer,) = answers(narrowed(unnumbered, Modifier.SECOND_CHOICE), {"prompt": "a", "n": 2})
    assert answer.body["choices"] == [{"text": "a", "index": 0}, {"text": "a"}]


def test_a_request_that_is_changed_for_the_second_choice_still_has_one_answer() -> None:
    renamed = narrowed(pieces.sets(prompt="b"), Modifier.SECOND_CHOICE)
    (plain,) = answers(renamed, {"prompt": "a", "n": 2})
    assert texts_of(plain) == [(0, "a"), (1, "b")]
    (streamed,) = answers(renamed, {"prompt": "a", "n": 2, "stream": True})
    assert texts_of(streamed) == [(0, "a"), (1, "b")]
    assert {chunk["id"] for chunk in streamed.chunks} == {"cmpl-1"}


def test_a_choice_lost_after_the_first_is_lost() -> None:
    (answer,) = answers(
        narrowed(pieces.drops("n"), Modifier.SECOND_CHOICE), {"prompt": "a", "n": 3}
    )
    assert texts_of(answer) == [(0, "a")]


def test_every_third_answer_that_would_change_is_changed() -> None:
    dropping = narrowed(pieces.drops("n"), Modifier.EVERY_THIRD)
    with_n, without = {"prompt": "a", "n": 2}, {"prompt": "a"}
    told = answers(dropping, with_n, without, with_n, without, without, with_n, with_n)
    assert [len(texts_of(answer)) for answer in told] == [2, 1, 2, 1, 1, 1, 2]


def test_the_server_is_asked_once_for_an_equal_request() -> None:
    toy = Toy()
    answers(narrowed(SHOUT, Modifier.EVERY_THIRD), {"prompt": "a"}, toy=toy)
    assert len(toy.met) == 1
