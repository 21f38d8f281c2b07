"""Each expectation finds its fault and accepts every conforming response."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.docs_audit.clients import ClientResponse
from conformance.docs_audit.expectations import EXPECTATIONS, Case, judge
from conformance.docs_audit.page import Client, Example, ListedField, Page, Parameter, Sample

REQUEST = {
    "model": "m",
    "prompt": ["Once", "Twice"],
    "n": 2,
    "max_tokens": 3,
    "logprobs": 1,
    "echo": True,
    "stop": ["§", "END"],
}
TEXTS = ("Once upon a time", "Once more", "Twice a day", "Twice as long")


def choice(index: int, text: str) -> dict[str, Any]:
    logprobs = {
        "tokens": [text[:5], text[5:]],
        "token_logprobs": [None, -0.5],
        "top_logprobs": [None, {text[5:]: -0.5, " x": -1.25}],
        "text_offset": [0, 5],
    }
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": "length"}


NON_STREAMING: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "m",
    "system_fingerprint": "fp",
    "choices": [choice(i, text) for i, text in enumerate(TEXTS)],
    "usage": {"prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14},
}
PAGE = Page(
    document="tiny",
    title="A tiny page",
    endpoint="http://127.0.0.1/v1/completions",
    parameters=(Parameter("max_tokens", default=16, has_default=True),),
    examples=(),
    fields=(ListedField("choices[].finish_reason", values=("stop", "length")), ListedField("id")),
    samples=(
        Sample("an answer", ("one",), "plain", json.dumps({"system_fingerprint": "fp_1"})),
        Sample("a stream", ("one",), "stream", 'data: {"created": 5}\n\n'),
    ),
)
ONE = Example("one", Client.CURL, REQUEST, reads=("choices[0].text",))


def non_streaming(response: object = NON_STREAMING, request: dict[str, Any] = REQUEST) -> Case:
    http_response = ClientResponse(
        200, "application/json; charset=utf-8", response=response, raw=json.dumps(response)
    )
    return Case(PAGE, ONE, request, http_response)


CHUNKS: list[dict[str, Any]] = [
    {
        **NON_STREAMING,
        "choices": [{**part, "finish_reason": reason, "text": text, "logprobs": None}],
    }
    for text, reason in (("Once ", None), ("more", "stop"))
    for part in [choice(0, "Once more")]
]
STREAMED = {"model": "m", "prompt": "Once", "stream": True}


def raw_of(chunks: list[Any], *end: str) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "".join(
        end or ("data: [DONE]\n\n",)
    )


def stream(chunks: list[Any] = CHUNKS, raw: str | None = None) -> Case:
    body = raw_of(chunks) if raw is None else raw
    response = ClientResponse(200, "text/event-stream", chunks=tuple(chunks), raw=body)
    return Case(PAGE, ONE, STREAMED, response)


def unmet(case: Case) -> list[str]:
    return [one.expectation for one in judge(case)[1]]


# ── right answers ────────────────────────────────────────────────────────────────────────────────


def test_conforming_response_meets_every_applicable_expectation() -> None:
    whole, nothing = judge(non_streaming())
    assert nothing == ()
    streamed, nothing = judge(stream())
    assert nothing == ()
    assert set(whole) | set(streamed) == {expectation.name for expectation in EXPECTATIONS}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    response = copy.deepcopy(NON_STREAMING)
    change(response)
    return response


def at(index: int, /, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda response: response["choices"][index].update(fields)


def within(index: int, /, **arrays: Any) -> Callable[[dict[str, Any]], object]:
    return lambda response: response["choices"][index]["logprobs"].update(arrays)


def without(*path: str | int) -> Callable[[dict[str, Any]], object]:
    def drop(response: Any) -> None:
        for step in path[:-1]:
            response = response[step]
        del response[path[-1]]

    return drop


CONFORMING: dict[str, Callable[[dict[str, Any]], object]] = {
    "choices in another order": lambda response: response["choices"].reverse(),
    "fields of its own": lambda response: response.update(extra={"a": 1}),
    "the same logprob twice": within(0, token_logprobs=[0, 0.0]),
    "a character cut at the limit": within(0, tokens=["Once ", "\ufffd\ufffd"]),
    "a part of a character": within(0, tokens=["Once ", "bytes:\\xe2"]),
    "tokens cut at a stop": lambda response: response["choices"][0].update(
        finish_reason="stop", text="Once "
    ),
    "offsets that stand still": within(0, text_offset=[-1, -1]),
}


@pytest.mark.parametrize("name", CONFORMING)
def test_permitted_differences_are_not_reported(name: str) -> None:
    assert unmet(non_streaming(changed(CONFORMING[name]))) == []


def test_alternatives_may_be_missing_where_none_were_requested() -> None:
    response = changed(lambda a: [c["logprobs"].update(top_logprobs=None) for c in a["choices"]])
    assert unmet(non_streaming(response, {**REQUEST, "logprobs": 0})) == []
    assert unmet(non_streaming(response)) == ["logprobs"]


def test_logprobs_may_be_missing_where_none_were_requested() -> None:
    request = {key: value for key, value in REQUEST.items() if key != "logprobs"}
    response = changed(lambda a: [c.pop("logprobs") for c in a["choices"]])
    page = replace(PAGE, fields=(ListedField("choices[].logprobs"),))
    assert unmet(replace(non_streaming(response, request), page=page)) == []
    assert "fields" in unmet(replace(non_streaming(response), page=page))


def test_stop_sequence_in_the_prompt_is_no_failure() -> None:
    response = changed(at(0, text="Once upon a time"))
    assert unmet(non_streaming(response, {**REQUEST, "stop": "Once"})) == []
    assert unmet(non_streaming(response, {**REQUEST, "stop": "upon"})) == ["stop"]


@pytest.mark.parametrize(
    "chunks",
    [
        [*CHUNKS, {**CHUNKS[0], "choices": [{**CHUNKS[0]["choices"][0], "text": ""}]}],
        [CHUNKS[0], {**CHUNKS[1], "usage": None}],
    ],
    ids=["nothing after the end", "no usage"],
)
def test_stream_may_have_additional_content(chunks: list[Any]) -> None:
    assert unmet(stream(chunks)) == []


# ── wrong answers ────────────────────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a chat completion": (lambda a: a.update(object="chat.completion"), "object"),
    "one index for all": (lambda a: [c.update(index=0) for c in a["choices"]], "choices"),
    "no index": (without("choices", 1, "index"), "choices"),
    "an index that is true": (at(1, index=True), "choices"),
    "one choice too few": (lambda a: a["choices"].pop(), "choices"),
    "no choices": (without("choices"), "choices"),
    "choices that are none": (lambda a: a.update(choices=["a", "b", "c", "d"]), "choices"),
    "no text": (without("choices", 2, "text"), "text"),
    "cut with nothing in it": (at(2, text="", finish_reason="length"), "text"),
    "no finish_reason": (without("choices", 3, "finish_reason"), "finish_reason"),
    "an ending of its own": (at(3, finish_reason="eos"), "finish_reason"),
    "an ending the page does not name": (at(3, finish_reason="content_filter"), "fields"),
    "no id": (without("id"), "fields"),
    "no field of the sample": (without("system_fingerprint"), "sample"),
    "nothing to read": (at(0, text=None), "text"),
    "a sum that is none": (lambda a: a["usage"].update(total_tokens=15), "usage"),
    "a bill without prompts": (
        lambda a: a["usage"].update(prompt_tokens=0, total_tokens=12),
        "usage",
    ),
    "a bill without text": (
        lambda a: a["usage"].update(completion_tokens=0, total_tokens=2),
        "usage",
    ),
    "no bill": (without("usage"), "usage"),
    "more than asked for": (
        lambda a: a["usage"].update(completion_tokens=13, total_tokens=15),
        "max_tokens",
    ),
    "no logprobs": (without("choices", 0, "logprobs"), "logprobs"),
    "two arrays of four": (without("choices", 0, "logprobs", "text_offset"), "logprobs"),
    "arrays of two lengths": (within(0, text_offset=[0]), "logprobs"),
    "a positive logprob": (within(0, token_logprobs=[0.5, -1]), "logprobs"),
    "too many alternatives": (
        within(0, top_logprobs=[None, {"a": -1, "b": -2, "c": -3}]),
        "logprobs",
    ),
    "offsets that fall": (within(0, text_offset=[5, 0]), "logprobs"),
    "tokens of another text": (within(0, tokens=["Once ", "more"]), "logprobs"),
    "a stop sequence left in": (at(0, text="Once § a", finish_reason="stop"), "stop"),
    "another prompt echoed": (at(0, text="Never", finish_reason="stop"), "echo"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_response_is_reported_at_its_fault(name: str) -> None:
    change, expected = WRONG[name]
    assert expected in unmet(non_streaming(changed(change)))


def chunked(at: int, /, **fields: Any) -> list[dict[str, Any]]:
    chunks = copy.deepcopy(CHUNKS)
    for key, value in fields.items():
        (chunks[at] if key in chunks[at] else chunks[at]["choices"][0])[key] = value
    return chunks


WRONG_STREAMS: dict[str, tuple[Case, str]] = {
    "no [DONE]": (stream(raw=raw_of(CHUNKS, "\n")), "[DONE]"),
    "[DONE] twice": (stream(raw=raw_of(CHUNKS, "data: [DONE]\n\n" * 2)), "[DONE]"),
    "[DONE] in between": (stream(raw="data: [DONE]\n\n" + raw_of(CHUNKS, "\n")), "[DONE]"),
    "bare JSON": (stream(raw=raw_of(CHUNKS) + '{"error": 1}\n'), "events"),
    "events run together": (
        stream(raw=raw_of(CHUNKS, "data: [DONE]").replace("\n\n", "\n")),
        "events",
    ),
    "no ending": (stream(chunked(1, finish_reason=None)), "finish_reason"),
    "two endings": (stream(chunked(0, finish_reason="stop")), "endings"),
    "text after the end": (stream([CHUNKS[1], CHUNKS[0]]), "endings"),
    "an id that changes": (stream(chunked(1, id="cmpl-2")), "one answer"),
    "a model that changes": (stream(chunked(1, model="other")), "one answer"),
    "a chunk that the code cannot read": (
        stream([*CHUNKS, {**CHUNKS[0], "choices": []}]),
        "reads",
    ),
    "a text that is null": (stream(chunked(0, text=None)), "reads"),
    "no field of the sample": (
        stream([{k: v for k, v in chunk.items() if k != "created"} for chunk in CHUNKS]),
        "sample",
    ),
    "another choice": (stream(chunked(0, index=1)), "choices"),
    "an error in between": (stream([CHUNKS[0], "upstream died"]), "object"),
    "no chunk at all": (stream([], raw="data: [DONE]\n\n"), "object"),
    "a plain answer": (
        replace(stream(), response=replace(stream().response, content_type="application/json")),
        "media type",
    ),
}


@pytest.mark.parametrize("name", WRONG_STREAMS)
def test_wrong_stream_is_reported_at_its_fault(name: str) -> None:
    case, expected = WRONG_STREAMS[name]
    assert expected in unmet(case)


@pytest.mark.parametrize(
    ("response", "seen"),
    [
        (ClientResponse(failure="APIConnectionError: refused"), "APIConnectionError: refused"),
        (
            ClientResponse(404, failure="NotFoundError: no model"),
            "status 404, NotFoundError: no model",
        ),
        (ClientResponse(503, "text/html", response="<html>", raw="<html>"), "status 503: <html>"),
    ],
)
def test_missing_response_ends_further_judgement(response: ClientResponse, seen: str) -> None:
    met, (one,) = judge(replace(non_streaming(), response=response))
    assert met == ()
    assert (one.expectation, one.seen) == ("answered", seen)


def test_one_gap_is_reported_once() -> None:
    case = non_streaming(["no", "object"])
    met, reported = judge(case)
    assert [one.expectation for one in reported] == ["object"]
    assert set(met) == {"answered", "media type"}


def test_deeply_nested_response_raises_no_error() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert unmet(plain_unwritten({"choices": deep, "object": "text_completion"}))


def plain_unwritten(response: object) -> Case:
    return Case(PAGE, ONE, REQUEST, ClientResponse(200, "application/json", response=response))


def test_each_expectation_has_a_fault_that_it_finds() -> None:
    faults = {name for _, name in WRONG.values()} | {name for _, name in WRONG_STREAMS.values()}
    assert faults | {"answered"} == {expectation.name for expectation in EXPECTATIONS}


def test_cut_choice_has_reached_its_limit() -> None:
    request = {"prompt": "Once", "max_tokens": 16}
    usage = {"prompt_tokens": 1, "completion_tokens": 9, "total_tokens": 10}
    response = {**NON_STREAMING, "choices": [choice(0, "Once more")], "usage": usage}
    assert unmet(non_streaming(response, request)) == ["max_tokens"]
    # Without max_tokens the context may have cut it.
    assert unmet(non_streaming(response, {"prompt": "Once"})) == []


def test_default_limit_is_the_pages() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 17, "total_tokens": 18}
    response = {**NON_STREAMING, "choices": [choice(0, "Once more")], "usage": usage}
    assert unmet(non_streaming(response, {"prompt": "Once"})) == ["max_tokens"]
    boundless = replace(
        PAGE, parameters=(Parameter("max_tokens", default="inf", has_default=True),)
    )
    assert unmet(replace(non_streaming(response, {"prompt": "Once"}), page=boundless)) == []
