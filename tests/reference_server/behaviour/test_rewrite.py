"""A rewrite changes only what it names."""

from __future__ import annotations

import asyncio

import pytest

from reference_server.behaviour import builders
from reference_server.behaviour.messages import DONE, Body, Rejected
from reference_server.behaviour.registry import untouched
from reference_server.behaviour.rewrite import Rewrite
from tests.reference_server.behaviour.toy_server import Toy, asking, responses, texts_of

SHOUT = builders.texts(lambda request, index, text: text.upper())  # noqa: ARG005
NON_STREAMING = {"prompt": "a", "n": 2}
STREAMED = {**NON_STREAMING, "stream": True}


def test_empty_rewrite_keeps_every_byte() -> None:
    for body in (NON_STREAMING, STREAMED, b"no JSON"):
        (through,) = responses(Rewrite(), body)
        (direct,) = responses(untouched, body)
        assert through == direct


def test_rewritten_request_is_hidden_from_other_rewrites() -> None:
    toy = Toy()
    seen: list[Body] = []

    def non_streaming(request: Body, response: Body) -> Body:
        seen.append(request)
        return response

    dropping = builders.both(builders.drops("n"), Rewrite(non_streaming=non_streaming))
    (response,) = responses(dropping, NON_STREAMING, toy=toy)
    assert texts_of(response) == [(0, "a")]
    assert toy.met[0].body == {"prompt": "a"}
    assert seen == [NON_STREAMING]


def test_streaming_and_non_streaming_responses_are_rewritten() -> None:
    non_streaming, streamed = responses(SHOUT, NON_STREAMING, STREAMED)
    assert texts_of(non_streaming) == texts_of(streamed) == [(0, "A"), (1, "A")]
    assert streamed.data[-1] == DONE


def test_refusal_is_rewritten_only_by_its_function() -> None:
    (response,) = responses(builders.both(SHOUT, builders.error(code=7, message=...)), b"[]")
    assert (response.status, response.body) == (400, {"error": {"code": 7}})


def test_any_function_may_reject() -> None:
    def no(*_: object) -> Body:
        raise Rejected(418, "tea", param="pot")

    for rewrite in (Rewrite(request=no), Rewrite(non_streaming=no)):
        (response,) = responses(rewrite, NON_STREAMING)
        error = {"message": "tea", "type": "invalid_request_error", "param": "pot", "code": None}
        assert (response.status, response.body) == (418, {"error": error})


def test_body_without_an_object_reaches_the_server() -> None:
    (response,) = responses(builders.sets(n=2), b"[1]")
    assert response.status == 400


def test_another_key_can_be_sent_upstream() -> None:
    async def opened() -> int:
        request = asking(NON_STREAMING, key="sk-wrong")
        return (await Toy()(request.with_key(request.server_key))).status

    assert asyncio.run(opened()) == 200


def test_lone_surrogates_and_nan_can_be_written() -> None:
    (response,) = responses(builders.fields(x="\ud83d", y=float("nan")), NON_STREAMING)
    assert b'"\\ud83d"' in response.raw
    assert b"NaN" in response.raw


def test_conflicting_rewrites_are_rejected() -> None:
    with pytest.raises(ValueError, match="both rewrite request"):
        builders.both(builders.drops("n"), builders.sets(n=1))
