"""A rewrite changes what it names, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from reference_server.behaviour import builders as pieces
from reference_server.behaviour.messages import DONE, Body, Declined
from reference_server.behaviour.registry import untouched
from reference_server.behaviour.rewrite import Rewrite
from tests.reference_server.behaviour.toy import Toy, answers, asking, texts_of

SHOUT = pieces.texts(lambda asked, index, text: text.upper())  # noqa: ARG005
PLAIN = {"prompt": "a", "n": 2}
STREAMED = {**PLAIN, "stream": True}


def test_nothing_to_rewrite_leaves_every_byte() -> None:
    for body in (PLAIN, STREAMED, b"no JSON"):
        (through,) = answers(Rewrite(), body)
        (direct,) = answers(untouched, body)
        assert through == direct


def test_a_request_is_rewritten_on_its_way_in_and_the_client_is_not_told() -> None:
    toy = Toy()
    seen: list[Body] = []

    def plain(asked: Body, answer: Body) -> Body:
        seen.append(asked)
        return answer

    dropping = pieces.both(pieces.drops("n"), Rewrite(plain=plain))
    (answer,) = answers(dropping, PLAIN, toy=toy)
    assert texts_of(answer) == [(0, "a")]
    assert toy.met[0].body == {"prompt": "a"}
    assert seen == [PLAIN]


def test_answers_are_rewritten_plain_and_streamed() -> None:
    plain, streamed = answers(SHOUT, PLAIN, STREAMED)
    assert texts_of(plain) == texts_of(streamed) == [(0, "A"), (1, "A")]
    assert streamed.data[-1] == DONE


def test_a_refusal_is_rewritten_by_its_own_function_alone() -> None:
    (answer,) = answers(pieces.both(SHOUT, pieces.error(code=7, message=...)), b"[]")
    assert (answer.status, answer.body) == (400, {"error": {"code": 7}})


def test_any_function_may_decline() -> None:
    def no(*_: object) -> Body:
        raise Declined(418, "tea", param="pot")

    for rewrite in (Rewrite(ask=no), Rewrite(plain=no)):
        (answer,) = answers(rewrite, PLAIN)
        error = {"message": "tea", "type": "invalid_request_error", "param": "pot", "code": None}
        assert (answer.status, answer.body) == (418, {"error": error})


def test_a_body_that_is_no_object_is_left_to_the_server() -> None:
    (answer,) = answers(pieces.sets(n=2), b"[1]")
    assert answer.status == 400


def test_another_key_can_be_sent_upstream() -> None:
    async def opened() -> int:
        asked = asking(PLAIN, key="sk-wrong")
        return (await Toy()(asked.with_key(asked.server_key))).status

    assert asyncio.run(opened()) == 200


def test_half_a_surrogate_and_nan_can_be_written() -> None:
    (answer,) = answers(pieces.members(x="\ud83d", y=float("nan")), PLAIN)
    assert b'"\\ud83d"' in answer.raw
    assert b"NaN" in answer.raw


def test_two_rewrites_of_the_same_thing_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="both rewrite ask"):
        pieces.both(pieces.drops("n"), pieces.sets(n=1))
