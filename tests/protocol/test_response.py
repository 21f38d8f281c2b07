"""Responses as a check reads them: streaming and non-streaming alike, without errors."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judgement import Failure, Inconclusive, Missing, Refusal
from conformance.locale import in_chinese
from conformance.model import Credentials, Effect, Exchange, Request
from conformance.protocol.completion import Completion, join_chunks
from conformance.protocol.response import Response

ASK = Request("POST", "/completions", b'{"model":"m","prompt":"1"}')
CHOICE = {"text": "a", "index": 0, "logprobs": None, "finish_reason": "stop"}
RESPONSE = {"id": "cmpl-1", "object": "text_completion", "choices": [CHOICE]}


def response(
    body: object, status: int | None = 200, kind: str = "application/json", fault: str | None = None
) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("Content-Type", kind),)
    exchange = Exchange("x1", ASK, (), status, headers, raw, (), 0.0, fault)
    return Response(exchange, frozenset({"model", "prompt"}))


def stream_of(*chunks: object, end: bytes = b"data: [DONE]\n\n") -> Response:
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return response(body + end, kind="text/event-stream; charset=utf-8")


def error(**members: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "type": "t", "param": None, "code": None, **members}}


# ── what is served ───────────────────────────────────────────────────────────────────────────────


def test_non_streaming_response_is_read() -> None:
    completion = response(
        {**RESPONSE, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    ).expect_ok()
    assert completion.text == "a"
    assert completion.only.finish_reason == "stop"
    assert completion.usage.prompt_tokens == 1
    assert completion.usage.completion_tokens == 0  # left out where nothing was generated


def test_choices_are_ordered_by_index() -> None:
    choices = [{**CHOICE, "index": i, "text": f"t{i}"} for i in (2, 0, 1)]
    assert response({"choices": choices}).expect_ok().texts == ("t0", "t1", "t2")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"choices": [NaN]}',
        b'{"choices": [-Infinity]}',
        b"[" * 100_000,
        [],
        "text",
        None,
        error(),
    ],
)
def test_success_without_a_completion_is_a_failure(body: object) -> None:
    with pytest.raises(Failure):
        response(body).expect_ok()


@pytest.mark.parametrize(
    ("result", "read"),
    [
        ({}, lambda c: c.choices),
        ({"choices": None}, lambda c: c.choices),
        ({"choices": []}, lambda c: c.choices),
        ({"choices": ["a"]}, lambda c: c.choices),
        ({"choices": [CHOICE, CHOICE]}, lambda c: c.only),
        ({"choices": [{}]}, lambda c: c.text),
        ({"choices": [{"text": None}]}, lambda c: c.text),
        ({"choices": [{"index": "0"}]}, lambda c: c.only.index),
        ({"choices": [{"index": True}]}, lambda c: c.only.index),
        ({"choices": [CHOICE]}, lambda c: c.only.logprobs),
        ({"choices": [{"logprobs": {}}]}, lambda c: c.only.logprobs.tokens),
        ({"choices": [{"logprobs": {"text_offset": {}}}]}, lambda c: c.only.logprobs.text_offset),
        ({}, lambda c: c.usage),
        ({"usage": []}, lambda c: c.usage),
        ({"usage": {}}, lambda c: c.usage.prompt_tokens),
        ({"usage": {"total_tokens": -1}}, lambda c: c.usage.total_tokens),
        ({"usage": {"completion_tokens": 1.0}}, lambda c: c.usage.completion_tokens),
    ],
)
def test_missing_field_is_a_named_failure(result: Any, read: Any) -> None:
    completion = Completion(response(result).exchange, result)
    with pytest.raises(Failure) as caught:
        read(completion)
    assert caught.value.expected
    assert caught.value.seen


def test_missing_logprobs_count_as_ignored() -> None:
    with pytest.raises(Failure) as caught:
        response(RESPONSE).expect_ok().only.logprobs  # noqa: B018 - reading is what is tested
    assert caught.value.effect is Effect.IGNORED


# ── what is not ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 422])
def test_clean_refusal_has_its_features_and_request(status: int) -> None:
    with pytest.raises(Refusal) as caught:
        response(error(), status).expect_ok()
    assert (caught.value.status, caught.value.message) == (status, "no")
    assert caught.value.features == {"model", "prompt"}
    assert caught.value.request == ASK


@pytest.mark.parametrize("body", [b"no", {"error": "no"}, {"detail": "no"}, error(message=None)])
def test_refusal_without_an_envelope_is_a_refusal(body: object) -> None:
    with pytest.raises(Refusal, match=r"refused with 400: ."):
        response(body, 400).expect_ok()


@pytest.mark.parametrize("status", [401, 402, 403, 408, 425, 429, 500, 502, 503, 504])
def test_unrelated_status_is_inconclusive(status: int) -> None:
    with pytest.raises(Inconclusive):
        response(error(), status).expect_ok()


def test_missing_response_is_inconclusive_with_its_reason() -> None:
    with pytest.raises(Inconclusive, match="connection refused"):
        response(b"", None, fault="connection refused").expect_ok()


def test_incomplete_refusal_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="the response is incomplete: fell silent"):
        response(b'{"err', 400, fault="fell silent").expect_error(400)


def test_refusal_without_a_body_has_no_envelope() -> None:
    refusal = response(b"", 400).expect_error(400)
    with pytest.raises(Missing, match='got ""'):
        _ = refusal.message


def test_incomplete_response_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="the response is incomplete: fell silent"):
        response(RESPONSE, fault="fell silent").expect_ok()


@pytest.mark.parametrize("status", [201, 302, 418])
def test_any_other_status_is_a_failure(status: int) -> None:
    with pytest.raises(Failure, match=f"status {status}"):
        response(RESPONSE, status).expect_ok()


# ── errors that must come ────────────────────────────────────────────────────────────────────────


def test_expected_error_is_returned() -> None:
    result = response(error(param="stop", code="c"), 422).expect_error(400, 422)
    assert (result.status, result.message, result.param, result.code) == (422, "no", "stop", "c")


def test_serving_an_invalid_request_has_effect_altered() -> None:
    with pytest.raises(Failure) as caught:
        response(RESPONSE).expect_error(400)
    assert caught.value.effect is Effect.ALTERED


@pytest.mark.parametrize("status", [404, 500])
def test_unexpected_error_status_is_a_failure(status: int) -> None:
    with pytest.raises(Failure, match="status 400"):
        response(error(), status).expect_error(400)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "the key was rejected with 401: "),
        (402, "payment is required or the quota is used up (402): "),
        (403, "access was denied (403): "),
    ],
)
def test_refused_account_is_told_by_its_status(status: int, sentence: str) -> None:
    refused = response(error(), status)
    for read in (refused.expect_response, refused.expect_ok, lambda: refused.expect_error(400)):
        with pytest.raises(Inconclusive) as judgement:
            read()
        assert str(judgement.value).startswith(sentence)
        assert in_chinese(judgement.value.said) is not None


@pytest.mark.parametrize("status", [401, 402])
def test_lost_account_is_no_rejection_of_a_model(status: int) -> None:
    with pytest.raises(Inconclusive):
        response(error(), status).expect_error(400, 403, 404, 422)
    assert response(error(), 403).expect_error(400, 403, 404, 422).status == 403


def test_wrong_key_is_judged_by_its_status() -> None:
    refused = response(error(), 402)
    request = replace(ASK, credentials=Credentials.WRONG)
    exchange = replace(refused.exchange, request=request)
    with pytest.raises(Failure):
        Response(exchange).expect_error(401, 403)


@pytest.mark.parametrize("status", [401, 408, 429, 502, 503, 504])
def test_error_of_another_kind_is_inconclusive(status: int) -> None:
    with pytest.raises(Inconclusive):
        response(error(), status).expect_error(400)


def test_expected_key_error_is_a_response() -> None:
    assert response(error(), 401).expect_error(401, 403).status == 401


def test_error_page_is_no_envelope() -> None:
    refusal = response(b"<html>Bad Request</html>", 400).expect_error(400)
    assert refusal.words == "<html>Bad Request</html>"
    with pytest.raises(Missing, match="an error envelope"):
        _ = refusal.message


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def test_stream_equals_the_non_streaming_response() -> None:
    completion = stream_of(
        {"id": "1", "choices": [{"index": 1, "text": "x", "finish_reason": None}]},
        {"id": "1", "choices": [{"index": 0, "text": "a", "finish_reason": None}], "usage": None},
        {"id": "1", "choices": [{"index": 0, "text": "b", "finish_reason": "length"}]},
        {"id": "1", "choices": [{"index": 1, "finish_reason": "stop"}]},
        {"id": "1", "choices": [], "usage": {"prompt_tokens": 3, "total_tokens": 3}},
    ).expect_ok()
    assert completion.texts == ("ab", "x")
    assert [choice.finish_reason for choice in completion.choices] == ["length", "stop"]
    assert completion.usage.prompt_tokens == 3
    assert completion.raw["id"] == "1"


def test_stream_is_recognised_by_its_body() -> None:
    body = b'data: {"choices": [{"index": 0, "text": "a"}]}\n\ndata: [DONE]\n\n'
    assert response(body, kind="text/plain").expect_ok().text == "a"


@pytest.mark.parametrize("chunks", [(), ("text",), ({"choices": None},), ({"choices": ["a"]},)])
def test_stream_without_valid_chunks_is_a_failure(chunks: tuple[object, ...]) -> None:
    with pytest.raises(Failure):
        stream_of(*chunks).expect_ok()


def test_stream_ending_with_an_error_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="ended with an error"):
        stream_of(error()).expect_ok()


def test_event_without_valid_json_is_a_failure() -> None:
    with pytest.raises(Failure, match="a stream event in JSON"):
        response(b"data: {'a': 1}\n\n", kind="text/event-stream").expect_ok()


@st.composite
def answers_and_chunks(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A non-streaming response and its chunks, the choices in any order."""
    choices, parts = [], []
    for index in range(draw(st.integers(1, 3))):
        tokens = draw(st.lists(st.text(max_size=3), min_size=1, max_size=4))
        reason = draw(st.sampled_from(["stop", "length"]))
        mine = [
            {"index": index, "text": token, "logprobs": {"tokens": [token]}, "finish_reason": None}
            for token in tokens
        ]
        mine[-1]["finish_reason"] = reason
        parts.append(mine)
        logprobs = {"tokens": tokens}
        text = "".join(tokens)
        choices.append(
            {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}
        )
    chunks = []
    while any(parts):
        mine = draw(st.sampled_from([part for part in parts if part]))
        chunks.append({"id": "cmpl-1", "choices": [mine.pop(0)]})
    return {"id": "cmpl-1", "choices": choices, "usage": None}, chunks


@given(answers_and_chunks())
def test_joined_chunks_equal_the_response(
    cut: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    response, chunks = cut
    assert join_chunks(tuple(chunks)) == response


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/event-stream"]))
def test_arbitrary_body_raises_no_unexpected_error(body: bytes, kind: str) -> None:
    try:
        completion = response(body, kind=kind).expect_ok()
        assert completion.texts is not None
    except Failure:
        pass


# ── errors without an envelope ───────────────────────────────────────────────────────────────────


def test_flat_error_is_read_where_documented() -> None:
    flat = {"object": "error", "message": "no", "type": "t", "param": "n", "code": 400}
    with pytest.raises(Missing):
        _ = response(flat, 400).expect_error(400).error
    read = replace(response(flat, 400), has_flat_errors=True).expect_error(400)
    assert (read.message, read.param, read.code) == ("no", "n", 400)


def test_enveloped_error_is_read_everywhere() -> None:
    assert replace(response(error(), 400), has_flat_errors=True).expect_error(400).message == "no"
