"""Every step over a response takes time in proportion to its length, at sizes beyond a budget."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from conformance.api import encode
from conformance.checks._shared.characters import ends_of, join_tokens, token_bytes
from conformance.checks._shared.error_bodies import LEAK, numbers_in
from conformance.checks._shared.stop_candidates import long_and_late, two_in_order
from conformance.checks._shared.token_scores import assert_offsets_advance, prompt_length
from conformance.judgement import Failure, Missing, NotApplicable, shown
from conformance.model import Exchange, Request
from conformance.protocol.completion import Choice, join_chunks
from conformance.protocol.response import Response

MANY = 60_000
SECONDS = 2.0
"""Each case takes a tenth of it if it is linear, and minutes if it is quadratic."""


def a_choice(token: str) -> Choice:
    logprobs = {"tokens": [token] * MANY, "text_offset": list(range(MANY))}
    return Choice({"text": "", "logprobs": logprobs}, "choices[0]")


def chunks() -> tuple[dict, ...]:
    part = {"index": 0, "text": "word", "logprobs": {"tokens": ["word"]}}
    return ({"choices": [part]},) * MANY


def ignoring(function: Callable[..., object], *arguments: object) -> None:
    with suppress(Failure, NotApplicable):
        function(*arguments)


CASES: dict[str, Callable[[], object]] = {
    "chunks": lambda: join_chunks(chunks()),
    "offsets of parts": lambda: assert_offsets_advance(a_choice("bytes:\\xe4")),
    "offsets of empty tokens": lambda: assert_offsets_advance(a_choice("")),
    "empty tokens before a prompt": lambda: prompt_length([""] * MANY, "1, 2, 3,"),
    "tokens": lambda: join_tokens(["word"] * MANY),
    "ends of tokens": lambda: ends_of(["word"] * MANY),
    "one long token": lambda: token_bytes("bytes:" + "\\xe4" * MANY),
    "stop sequences": lambda: ignoring(two_in_order, "".join(map(str, range(MANY)))),
    "a late stop sequence": lambda: ignoring(long_and_late, "a b " * MANY),
    "blank lines of an error": lambda: LEAK.search("\n" * MANY),
    "schemes of an error": lambda: LEAK.search("https://" * MANY),
    "places of an error": lambda: LEAK.search("\n at f (" + ":1" * MANY),
    "digits of an error": lambda: numbers_in("9" * MANY),
    "shown": lambda: [shown({"a": ["x" * 10**6] * 100, "b": "y" * 10**6}) for _ in range(100)],
}


@pytest.mark.parametrize("step", CASES.values(), ids=CASES.keys())
def test_step_takes_linear_time(step: Callable[[], object]) -> None:
    start = time.process_time()
    step()
    assert time.process_time() - start < SECONDS


def test_joined_chunks_leave_the_chunks_alone() -> None:
    sent = [{"index": 0, "logprobs": {"tokens": ["a"], "x": 1}} for _ in range(3)]
    joined = join_chunks(tuple({"choices": [part]} for part in sent))
    assert joined["choices"][0]["logprobs"] == {"tokens": ["a", "a", "a"], "x": 1}
    assert sent[0]["logprobs"] == {"tokens": ["a"], "x": 1}


@pytest.mark.parametrize("skipped", ["", "<s>", " "], ids=["none", "start", "space"])
def test_prompt_length_counts_tokens_after_a_start(skipped: str) -> None:
    tokens = [skipped, "bytes:\\xe4\\xbd", "bytes:\\xa0", "好", "more"]
    assert prompt_length(tokens, "你好") == 4
    assert prompt_length(tokens, "你坏") is None


def test_ends_stop_at_unknown_tokens() -> None:
    assert ends_of(["a", "é", "\ufffd", "b"]) == ("aé".encode(), [1, 3, 3, 3])


def test_lone_surrogates_are_sent_as_ascii() -> None:
    assert encode({"prompt": "好\ud800"}) == b'{"prompt":"\\u597d\\ud800"}'


def test_long_numbers_in_messages_count_nothing() -> None:
    assert numbers_in("4096 of " + "9" * 5_000 + " and 7") == [4096, 7]


@pytest.mark.parametrize(
    "leak",
    [
        "Error: x\n    at f (/srv/app.js:10:5)",
        "see https://host/a/v1/chat/completions now",
        "from https://a.test to http://b.test/v1/completions",
    ],
)
def test_leaks_are_still_found(leak: str) -> None:
    assert LEAK.search(leak)


def test_shown_beginning_is_that_of_the_whole_value() -> None:
    value = {"k" * 300: 1, "b": [{"c": "y" * 300}] * 500}
    assert shown(value) == '{"' + "k" * 197 + "…"
    assert shown(value["b"]) == '[{"c": "' + "y" * 191 + "…"


def test_unreadable_events_keep_no_frames() -> None:
    request = Request("POST", "/completions")
    body = b"data:\n\n" * 100
    response = Response(Exchange("x1", request, (), 200, (), body, (), 0.1))
    for _, read in response.payloads:
        assert isinstance(read, Failure)
        assert (read.__context__, read.__traceback__) == (None, None)


def test_excess_choices_are_not_read() -> None:
    request = Request("POST", "/completions")
    body = b'{"choices":[' + b"{}," * 2_000 + b"{}]}"
    completion = Response(Exchange("x1", request, (), 200, (), body, (), 0.1)).expect_ok()
    with pytest.raises(Missing, match="at most 1,024 choices; got 2001 choices"):
        _ = completion.choices
