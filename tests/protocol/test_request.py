"""Requests are read by their documented types; other types are not judged."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judgement import NotApplicable
from conformance.model import Request
from conformance.protocol.request import CompletionRequest, read_request


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("a", ("a",)),
        (None, (None,)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
    ],
)
def test_every_prompt_form_is_read(prompt: Any, read: tuple[Any, ...]) -> None:
    assert CompletionRequest({"prompt": prompt}).prompts == read


@pytest.mark.parametrize("prompt", [7, {}, [], [[]], ["a", 1], [True], [["a"]], [1, [2]]])
def test_unknown_prompt_form_is_not_judged(prompt: Any) -> None:
    with pytest.raises(NotApplicable):
        _ = CompletionRequest({"prompt": prompt}).prompts


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n", ["2", 0, -1, 2.0, True]),
        ("best_of", ["2", 0, True]),
        ("max_tokens", ["16", -1, 1.5, False]),
        ("logprobs", [True, "2", -1]),
        ("echo", ["loud", 1]),
        ("stream", ["yes", 1]),
        ("stops", [7, [7], {}]),
        ("temperature", ["hot", True, [0]]),
        ("include_usage", ["usage"]),
    ],
)
def test_value_of_a_wrong_type_is_not_judged(name: str, values: list[Any]) -> None:
    parameter = {"stops": "stop", "include_usage": "stream_options"}.get(name, name)
    for value in values:
        with pytest.raises(NotApplicable):
            getattr(CompletionRequest({parameter: value}), name)


def test_null_equals_an_omitted_value() -> None:
    names = ("n", "best_of", "max_tokens", "logprobs", "echo", "stream", "stops", "temperature")
    nulls = CompletionRequest(dict.fromkeys((*names, "stop", "stream_options")))
    for name in (*names, "include_usage", "is_greedy", "choices"):
        assert getattr(nulls, name) == getattr(CompletionRequest({}), name), name


def test_choices_are_counted_over_all_prompts() -> None:
    request = CompletionRequest({"prompt": ["a", "b", "c"], "n": 2})
    assert (request.choices, request.best_of) == (6, 2)


def test_unstated_limit_is_not_judged() -> None:
    with pytest.raises(NotApplicable):
        _ = CompletionRequest({}).limit
    assert CompletionRequest({"max_tokens": 0}).limit == 0


def test_only_requests_for_a_completion_are_read() -> None:
    assert read_request(Request("POST", "/completions", b'{"n": 1}')) is not None
    assert read_request(Request("GET", "/completions", b'{"n": 1}')) is None
    assert read_request(Request("POST", "/models", b'{"n": 1}')) is None
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        assert read_request(Request("POST", "/completions", body)) is None
