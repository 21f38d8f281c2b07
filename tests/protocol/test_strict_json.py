"""JSON is bounded before it is parsed, and what is no completion is reported once."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc

import pytest

from conformance.api import SharedResponses
from conformance.judgement import Failure, Feature, Missing
from conformance.model import Exchange, Request
from conformance.protocol.response import Response
from conformance.protocol.strict_json import (
    MAX_DEPTH,
    MAX_VALUES,
    excess_of,
    parsed_size,
    strict_json,
)

BROKEN = {
    "values": "[" + "{}," * 20_000 + "{}]",
    "many values": "[" + '"long enough",' * (MAX_VALUES + 1) + "0]",
    "depth": "[" * 50_000 + "]" * 50_000,
    "little too deep": "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    "digits": "9" * 400,
    "more digits": "-" + "9" * 5_000,
    "infinity": "1e999",
    "long infinity": "9" * 400 + ".0",
    "constant": "[NaN]",
    "mark": "\ufeff{}",
    "cut": '{"text": "' + "[" * 200,
}

FINE = {
    "commas in a text": json.dumps({"text": "," * 100_000}),
    "brackets in a text": json.dumps({"text": "[" * 100_000}),
    "quotes in a text": json.dumps({"text": '"\\' * 50_000}),
    "depth": "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    "numbers": "[1e308, -1e-400, 9007199254740993]",
    "logprobs": json.dumps([{"token": -0.25, "another": -1.25} for _ in range(2_000)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_harmful_text_is_refused_at_once(name: str) -> None:
    started = time.process_time()
    with pytest.raises(Failure) as raised:
        strict_json(BROKEN[name], "the body")
    assert time.process_time() - started < 1
    assert raised.value.expected.startswith("the body in JSON")
    assert len(raised.value.seen) < 400


@pytest.mark.parametrize("name", FINE)
def test_ordinary_text_is_parsed(name: str) -> None:
    assert strict_json(FINE[name], "the body") == json.loads(FINE[name])


@pytest.mark.parametrize("piece", ['"', "\\", '"\\', "[", '["', "{", "\n", '"\n', ","])
def test_bounds_are_linear(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        excess_of(text)
        with pytest.raises(Failure):
            strict_json(text, "the body")
        return time.process_time() - started

    assert seconds(1_000_000) < 20 * max(seconds(250_000), 0.02)


def answered(body: bytes, kind: str = "application/json") -> Exchange:
    request = Request("POST", "/completions", b'{"prompt": "1"}')
    return Exchange("x0001", request, (), 200, (("Content-Type", kind),), body, (), 0.1)


def test_excess_is_a_missing_response() -> None:
    response = Response(answered(BROKEN["values"].encode()))
    with pytest.raises(Missing) as raised:
        response.expect_ok()
    assert raised.value.feature is Feature.JSON
    assert "values" in raised.value.seen


@pytest.mark.parametrize("event", ["data: {}\n\n", "data: {\n\n", "data:\n\n", "ab\n"])
def test_stream_with_excess_is_read_in_part(event: str) -> None:
    response = Response(answered(("data: {}\n\n" + event * 50_000).encode(), "text/event-stream"))
    assert len(response.events) < 5_000
    assert isinstance(response.payloads[-1][1], Failure)
    with pytest.raises(Missing) as raised:
        response.expect_ok()
    assert raised.value.feature is Feature.CHUNKS


def test_estimate_fits_what_takes_most_memory() -> None:
    objects = '{"":0},' * 10_000
    # An object with one member takes 184 bytes and its reference 8.
    assert 192 * 10_000 <= parsed_size(objects.encode()) < 3 * 192 * 10_000


@pytest.mark.parametrize("wide", ["\U0001f600".encode(), b"\\ud83d\\ude00"])
def test_wide_character_counts_for_its_whole_text(wide: bytes) -> None:
    body = b'{"text": "%s%s"}' % (b"a" * 100_000, wide)
    assert parsed_size(body) >= 2 * sys.getsizeof(json.loads(body)["text"])


def test_estimate_counts_the_names_of_members() -> None:
    body = json.dumps({f"{number}": number for number in range(20_000)}).encode()
    tracemalloc.start()
    read = json.loads(body)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read) == 20_000
    assert size <= parsed_size(body) < 3 * size


def test_shared_responses_are_bounded() -> None:
    exchanges = [answered(json.dumps({"number": number}).encode()) for number in range(100)]
    shared = SharedResponses(most=20 * parsed_size(exchanges[0].body))
    for exchange in [*exchanges, *exchanges]:
        assert shared.of(exchange).json == json.loads(exchange.body)
        assert shared.of(exchange).json is shared.of(exchange).json
        assert shared.of(exchange) is shared.of(exchange)
    parsed = [one for one in exchanges if "_json" in vars(shared.of(one))]
    assert 18 <= len(parsed) <= 20


def test_response_larger_than_all_is_parsed_once() -> None:
    shared = SharedResponses(most=1)
    response = shared.of(answered(b"{}"))
    assert response.json is response.json


def test_unread_response_is_not_counted() -> None:
    exchanges = [answered(json.dumps({"number": number}).encode()) for number in range(100)]
    shared = SharedResponses(most=2 * parsed_size(exchanges[0].body))
    kept = shared.of(exchanges[0]).json
    assert all(shared.of(one).status == 200 for one in exchanges)
    assert shared.of(exchanges[0]).json is kept
