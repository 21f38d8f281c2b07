"""Only what the endpoint causes counts as an answer that never came."""

from __future__ import annotations

import socket

import httpx
import pytest

from conformance.model import Arrival, Attempt, Exchange, Request
from conformance.protocol.response import Response
from conformance.protocol.unserved import (
    ERROR_EVENT,
    failed_attempts,
    is_whole,
    of_fault,
    seconds_waited,
    why_unserved,
)
from conformance.transport import errors as faults
from conformance.transport.connections import ProxyFaultError
from conformance.transport.proxies import Proxy

WHERE = "https://api.example.com/v1"
MODEL = "m"
REQUEST = Request("POST", "/completions", b'{"model": "m", "prompt": "1"}')
STREAM = "text/event-stream"


def exchange(
    status: int | None,
    body: bytes = b"",
    kind: str = "application/json",
    fault: str | None = None,
    *earlier: Attempt,
) -> Exchange:
    attempts = (*earlier, Attempt(0.0, 0.1, status, fault))
    arrivals = (Arrival(0.1, len(body)),)
    headers = (("content-type", kind),)
    return Exchange("x1", REQUEST, attempts, status, headers, body, arrivals, 0.1, fault)


def why(one: Exchange) -> str | None:
    return why_unserved(one, Response(one), MODEL)


ENDPOINT = {
    "hang": faults.no_answer(WHERE, 60),
    "endless": faults.too_slow(WHERE, 60),
    "stalled": faults.fell_silent(WHERE, 20),
    "cut": faults.incomplete_body(httpx.RemoteProtocolError("peer closed connection"), WHERE),
    "broken": faults.incomplete_body(httpx.RemoteProtocolError("illegal chunk header"), WHERE),
    "reset": faults.error_of(httpx.ReadError("reset"), WHERE),
    "dropped": faults.error_of(httpx.RemoteProtocolError("Server disconnected"), WHERE),
    "not decodable": faults.cannot_decode(WHERE, "is no gzip"),
}

OURS = {
    "name": faults.error_of(socket.gaierror(-2, "unknown"), WHERE),
    "refused": faults.error_of(ConnectionRefusedError(), WHERE),
    "tls": faults.TransportError(f"TLS error: handshake with {WHERE} failed: eof", False),
    "no route": faults.error_of(httpx.ConnectError("no route"), WHERE),
    "slow network": faults.error_of(httpx.ConnectTimeout("late"), WHERE),
    "size": faults.too_large(WHERE, 2**20),
    "headers": faults.too_many_headers(WHERE, 300, 256),
    "url": faults.error_of(httpx.InvalidURL("bad"), WHERE),
    "proxy": faults.error_of(
        ProxyFaultError(Proxy("http://p:3128", ""), httpx.ReadError("reset")), WHERE
    ),
    "proxy refuses": faults.error_of(
        ProxyFaultError(Proxy("http://p:3128", ""), httpx.ProxyError("403")), WHERE
    ),
}


@pytest.mark.parametrize("name", ENDPOINT)
def test_fault_of_the_endpoint_counts(name: str) -> None:
    assert of_fault(ENDPOINT[name].sentence) is not None


@pytest.mark.parametrize("name", OURS)
def test_fault_of_ours_does_not_count(name: str) -> None:
    assert of_fault(OURS[name].sentence) is None


@pytest.mark.parametrize(("name", "seconds"), [("hang", 60), ("stalled", 20), ("cut", None)])
def test_timeout_says_how_long_it_waited(name: str, seconds: float | None) -> None:
    assert seconds_waited(ENDPOINT[name].sentence) == seconds


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 529])
def test_server_error_is_no_answer(status: int) -> None:
    assert why(exchange(status, b'{"error": {"message": "overloaded"}}')) == f"status {status}"


@pytest.mark.parametrize(
    ("status", "message"),
    [(200, ""), (400, "no"), (429, "slow down"), (503, "rate limit"), (500, "余额不足")],
)
def test_answer_about_something_else_does_not_count(status: int, message: str) -> None:
    body = f'{{"error": {{"message": "{message}"}}}}' if message else "{}"
    assert why(exchange(status, body.encode())) is None


def test_error_in_a_stream_is_no_answer() -> None:
    body = b'data: {"choices": []}\n\ndata: {"error": {"message": "?"}}\n\n'
    found = exchange(200, body, STREAM)
    assert why(found) == ERROR_EVENT
    assert not is_whole(found, Response(found))


def test_limit_told_in_a_stream_does_not_count() -> None:
    body = b'data: {"error": {"message": "Rate limit reached"}}\n\n'
    assert why(exchange(200, body, STREAM)) is None


def test_earlier_attempts_count_only_if_they_failed() -> None:
    limited = Attempt(0.0, 0.1, 429, None)
    hung = Attempt(0.1, 60.0, None, ENDPOINT["hang"].sentence)
    unreachable = Attempt(60.1, 0.1, None, OURS["refused"].sentence)
    found = exchange(200, b"{}", "application/json", None, limited, hung, unreachable)
    assert failed_attempts(found) == (hung,)
