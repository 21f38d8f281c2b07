"""The response with a stop sequence, derived from the response without it."""

from typing import Any

import pytest

from tests.reference_server.api import Api
from tests.reference_server.request_strategies import END, TOKENIZER
from tests.reference_server.streaming import events, join
from tests.reference_server.utf8_definition import complete, raw


def only(*texts: bytes) -> dict[str, float]:
    """A bias that leaves nothing but the tokens of these bytes to be sampled, and no end."""
    ids = {TOKENIZER.token_bytes(token): token for token in range(TOKENIZER.size)}
    return {str(ids[text]): 100 for text in texts} | {str(END): -100}


# Words, characters of one token and of several, and a row in which every ending begins again.
REQUESTS: dict[str, dict[str, Any]] = {
    "words": {"prompt": "1, 2, 3, 4, 5, 6, 7,", "temperature": 0, "max_tokens": 14},
    "chinese": {"prompt": "春眠不觉晓，处处闻啼鸟。", "seed": 5, "max_tokens": 14},
    "emoji": {"prompt": "🎉 🦩 🎉 🦩 🎉", "seed": 3, "max_tokens": 14},
    "a row": {"prompt": "aaaaaa", "seed": 1, "max_tokens": 6, "logit_bias": only(b"a")},
    # Penalised for what it has sampled, a model cannot stay with one byte: characters of two come
    # about, and others are broken off.
    "bytes": {
        "prompt": "Ééé",
        "temperature": 0,
        "max_tokens": 30,
        "frequency_penalty": 2,
        "logit_bias": only(b"\xc3", b"\xa9", b"\x89"),
    },
}
each_request = pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())


def uncut(api: Api, request: dict[str, Any]) -> dict[str, Any]:
    return api.choice(**request, logprobs=1)


def cut(whole: dict[str, Any], stops: list[str], base: int) -> tuple[dict[str, Any], int] | None:
    """The choice as the first stop sequence to be complete leaves it, and the tokens it took.

    ``base`` characters stand before the text. None where no sequence ever is complete.
    """
    text, scores = whole["text"], whole["logprobs"]
    ends = [(end, stop) for stop in stops if (end := text.find(stop) + len(stop)) >= len(stop)]
    if not ends:
        return None
    end = min(ends)[0]
    kept = text[: min(place - len(stop) for place, stop in ends if place == end)]
    begun = sum(offset < base + len(kept) for offset in scores["text_offset"])
    tokens = [raw(token) for token in scores["tokens"]]
    took = next(k for k in range(1, len(tokens) + 1) if len(complete(b"".join(tokens[:k]))) >= end)
    return {
        "text": kept,
        "index": 0,
        "logprobs": {name: values[:begun] for name, values in scores.items()},
        "finish_reason": "stop",
    }, took


def answered(api: Api, request: dict[str, Any], stops: list[str]) -> tuple[dict[str, Any], int]:
    response = api.complete(**request, logprobs=1, stop=stops)
    return response["choices"][0], response["usage"]["completion_tokens"]


@each_request
def test_stop_cuts_at_every_position_and_length(api: Api, request_: dict[str, Any]) -> None:
    whole = uncut(api, request_)
    # Half a character at the end of all is decided by the limit, not by a token.
    text = whole["text"].rstrip("\ufffd")
    base = len(request_["prompt"])
    assert len(text) > 5
    assert whole["logprobs"]["text_offset"][0] == base
    places = [(start, size) for start in range(len(text)) for size in (1, 2, 5)]
    for stop in dict.fromkeys(text[start : start + size] for start, size in places):
        assert answered(api, request_, [stop]) == cut(whole, [stop], base), stop


@each_request
def test_earliest_and_longest_of_several_stops_cuts(api: Api, request_: dict[str, Any]) -> None:
    whole = uncut(api, request_)
    text, base = whole["text"].rstrip("\ufffd"), len(request_["prompt"])
    for start in range(0, len(text) - 5, 3):
        part = text[start : start + 5]
        for stops in (
            [part, part[1:]],  # complete together: the longer began first
            [part, part[:-1], part + "§"],  # one is the beginning of another
            [part[-1], part, text[-1] + "§", "§"],
        ):
            expected = cut(whole, stops, base)
            assert answered(api, request_, stops) == expected, stops
            assert answered(api, request_, stops[::-1]) == expected, stops


@each_request
def test_stop_completed_by_the_last_token_finishes_stop(api: Api, request_: dict[str, Any]) -> None:
    whole = uncut(api, request_)
    tokens = [raw(token) for token in whole["logprobs"]["tokens"]]
    for size in range(2, len(tokens)):
        stop = complete(b"".join(tokens[:size]))[-2:]
        expected = cut(whole, [stop], len(request_["prompt"]))
        assert expected is not None
        took = expected[1]
        assert answered(api, {**request_, "max_tokens": took}, [stop]) == expected
        if took > 1 and "\ufffd" not in stop:
            choice, count = answered(api, {**request_, "max_tokens": took - 1}, [stop])
            assert (choice["finish_reason"], count) == ("length", took - 1)
            assert choice["text"] == b"".join(tokens[: took - 1]).decode("utf-8", "replace")


def test_stop_equal_to_the_response_leaves_no_text(api: Api) -> None:
    for request in (REQUESTS["words"], REQUESTS["chinese"]):
        whole = api.complete(**request)
        text = whole["choices"][0]["text"]
        choice, tokens = answered(api, request, [text])
        assert (choice["text"], choice["finish_reason"]) == ("", "stop")
        assert choice["logprobs"] == {name: [] for name in choice["logprobs"]}
        assert tokens == whole["usage"]["completion_tokens"]
        body = {**request, "stop": text, "stream": True, "stream_options": {"include_usage": True}}
        chunks = events(api.post(**body).text)
        assert [chunk["choices"][0]["text"] for chunk in chunks[:-1]] == [""], "all of it waits"
        assert join(chunks, usage=True)["usage"] == whole["usage"]


def test_stop_may_end_in_a_completed_character(api: Api) -> None:
    request = REQUESTS["bytes"]
    expected = cut(uncut(api, request), ["é"], len(request["prompt"]))
    assert expected is not None
    took = expected[1]
    assert answered(api, {**request, "max_tokens": took}, ["é"]) == expected
    broken, count = answered(api, {**request, "max_tokens": took - 1}, ["é"])
    assert (broken["text"][-1], broken["finish_reason"], count) == ("\ufffd", "length", took - 1)


def test_stop_sequence_in_the_echo_is_ignored(api: Api) -> None:
    request = REQUESTS["words"]
    prompt, text = request["prompt"], api.text(**request)
    assert text.startswith(" 8, 9, 1")
    for stop, kept in [("7, 8", text), (prompt, text), ("3, 4, 5", text), ("1", " 8, 9, ")]:
        assert api.text(**request, echo=True, stop=stop) == prompt + kept


@each_request
def test_best_of_winner_ignores_echo_and_logprobs(api: Api, request_: dict[str, Any]) -> None:
    # The mean is over the tokens before the cut, shown or not.
    request = {**request_, "temperature": 1, "seed": 8, "n": 2, "best_of": 8}
    stops = sorted(set(api.text(**request_)))[:4]
    winners = []
    for extra in ({}, {"logprobs": 0}, {"echo": True}, {"echo": True, "logprobs": 2}):
        response = api.complete(**request, **extra, stop=stops)
        echoed = len(request["prompt"]) if "echo" in extra else 0
        winners.append([choice["text"][echoed:] for choice in response["choices"]])
    assert winners == [winners[0]] * 4
