"""Which requests are sent to the reference, and how they are adapted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from conformance.engine.comparison import comparison_limits, deciding
from conformance.engine.comparison.selection import MAX_REQUESTS, MAX_TOKENS, request_for
from conformance.model import (
    Credentials,
    Exchange,
    Finding,
    Level,
    Limits,
    Request,
    Tier,
    Verdict,
)


def request(body: Any, **more: Any) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps({"model": "theirs", **body}).encode()
    return Request("POST", "/completions", raw, **more)


def exchange(key: str, request: Request) -> Exchange:
    return Exchange(key, request, (), 200, (), b"{}", (), 0.1)


def finding(verdict: Verdict, *shown: str) -> Finding:
    return Finding(
        "stop.ends", "It ends.", "r", Level.MUST, "stop", Tier.SMOKE, verdict, exchanges=shown
    )


def chosen(findings: Iterable[Finding], *request: Request) -> list[str]:
    exchanges = [exchange(f"x{number}", one) for number, one in enumerate(request)]
    return [picked.id for picked in deciding(findings, exchanges, "theirs")]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_failures_are_compared(verdict: Verdict) -> None:
    body = chosen([finding(verdict, "x0")], request({"prompt": "1"}))
    assert body == (["x0"] if verdict in {Verdict.FAIL, Verdict.WARN} else [])


def test_last_three_requests_per_finding_are_compared_once() -> None:
    prompts = [request({"prompt": text}) for text in "abcdeb"]
    findings = [
        finding(Verdict.FAIL, "x0", "x1", "x2", "x3"),
        finding(Verdict.WARN, "x5", "x4"),
        finding(Verdict.FAIL, "x3", "not-on-record"),
    ]
    assert chosen(findings, *prompts) == ["x1", "x2", "x3", "x4"]


def test_repeated_samples_leave_room_for_other_requests() -> None:
    prompts = [request({"prompt": text}) for text in "abccccc"]
    findings = [finding(Verdict.FAIL, *(f"x{number}" for number in range(7)))]
    assert chosen(findings, *prompts) == ["x0", "x1", "x6"]


def test_compared_requests_are_limited_to_sixty() -> None:
    prompts = [request({"prompt": str(number)}) for number in range(99)]
    findings = [finding(Verdict.FAIL, f"x{number}") for number in range(99)]
    assert chosen(findings, *prompts) == [f"x{number}" for number in range(MAX_REQUESTS)]


@pytest.mark.parametrize(
    "strange",
    [
        request({"prompt": "1"}, credentials=Credentials.WRONG),
        request({"prompt": "1"}, credentials=Credentials.NONE),
        request({"prompt": "1"}, headers=(("Authorization", "Basic dXNlcjpwYXNz"),)),
        request({"prompt": "1", "model": "no-such-model"}),
        request({"prompt": "1", "model": None}),
        request({"prompt": "1", "model": ["theirs"]}),
        request(b'["theirs"]'),
        request(b'{"model": "theirs"'),
        request(b"[" * 100_000),
        request(b"\xff"),
        request({"prompt": "1", "max_tokens": 10_000_000}),
        request({"prompt": "1", "n": 128, "max_tokens": 64}),
        request({"prompt": "long " * 2_000, "max_tokens": 1}),
        Request("GET", "/models"),
        Request("POST", "/chat/completions", request({"messages": []}).body),
    ],
)
def test_endpoint_specific_requests_are_not_compared(strange: Request) -> None:
    non_streaming = request({"prompt": "1"})
    assert chosen([finding(Verdict.FAIL, "x0", "x1")], non_streaming, strange) == ["x0"]


def test_event_limit_of_a_request_is_kept() -> None:
    endless = request({"prompt": "1", "max_tokens": 10_000_000, "stream": True}, read_events=3)
    assert chosen([finding(Verdict.FAIL, "x0")], endless) == ["x0"]
    assert request_for(endless, "ours").read_events == 3


@pytest.mark.parametrize(
    ("body", "ours"),
    [
        (
            rb'{ "prompt":"\u4e00\n", "model" : "theirs","n":1.0 }',
            '{ "prompt":"\\u4e00\\n", "model" : "我","n":1.0 }'.encode(),
        ),
        (rb'{"model":"the\u0069rs","stop":"\"model\":\"x\""}', None),
        (rb'{"prompt":"\"model\":\"theirs\"","model":"theirs"}', None),
        (rb'{"model":"first","model":"theirs"}', None),
        (rb'{"logit_bias":{"model":"theirs"},"model":"theirs"}', None),
    ],
)
def test_only_the_model_name_is_replaced(body: bytes, ours: bytes | None) -> None:
    changed = request_for(request(body), "我")
    assert json.loads(changed.body) == {**json.loads(body), "model": "我"}
    if ours is not None:
        assert changed.body == ours


def test_request_with_the_same_model_is_unchanged() -> None:
    same = request(rb'{"model" : "theirs" , "prompt":"\u0031"}')
    assert request_for(same, "theirs") is same


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        (Limits(), Limits(MAX_REQUESTS, MAX_TOKENS)),
        (Limits(9, 99), Limits(9, 99)),
        (Limits(9_999, None), Limits(MAX_REQUESTS, MAX_TOKENS)),
        (Limits(None, 999_999), Limits(MAX_REQUESTS, MAX_TOKENS)),
    ],
)
def test_run_limits_apply_to_the_reference(limits: Limits, wanted: Limits) -> None:
    assert comparison_limits(limits) == wanted
