"""The client against a server whose behaviour each test defines."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from conformance.model import WRONG_KEY, Credentials, Exchange, Request, Target
from conformance.transport.client import ATTEMPT_LIMIT, Client
from tests.transport.loopback import (
    STREAM_HEAD,
    Behaviour,
    Loopback,
    endless,
    hang,
    raw,
    reset,
    respond,
    serving,
    then_hang,
)

KEY = "sk-a-key-that-must-not-show"
ASK = Request("POST", "/completions", b'{"model":"m","prompt":"1, 2,"}')
OK = respond({"choices": []})
UNTRUSTED = Path(__file__).with_name("untrusted.pem")


def target(base_url: str, key: str | None = KEY) -> Target:
    return Target(base_url, "m", "openai", key)


class Naps:
    """Replaces sleep: records the waits without waiting."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


async def send(base_url: str, request: Request = ASK, **options: Any) -> Exchange:
    async with Client(target(base_url), **{"sleep": Naps(), **options}) as client:
        return await client.send(request)


def requested(
    *behaviours: Behaviour, request: Request = ASK, **options: Any
) -> tuple[Exchange, Loopback]:
    """Send one request to a server that behaves so, and return what came of it."""

    async def ask() -> tuple[Exchange, Loopback]:
        async with serving(*behaviours) as server:
            return await send(server.base_url, request, **options), server

    return asyncio.run(ask())


def head_of(sent: bytes) -> dict[str, str]:
    lines = sent.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (li.partition(":") for li in lines)}


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────


def test_body_is_sent_unchanged_with_the_key() -> None:
    exchange, server = requested(OK)
    (sent,) = server.requests
    assert sent.startswith(b"POST /v1/completions HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n" + ASK.body)
    assert head_of(sent)["authorization"] == f"Bearer {KEY}"
    assert head_of(sent)["content-type"] == "application/json"
    assert exchange.request == ASK


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        (Credentials.OWN, f"Bearer {KEY}"),
        (Credentials.WRONG, f"Bearer {WRONG_KEY}"),
        (Credentials.NONE, None),
    ],
)
def test_each_request_names_its_credentials(credentials: Credentials, expected: str | None) -> None:
    request = Request("POST", "/completions", b"{}", credentials=credentials)
    _, server = requested(OK, request=request)
    assert head_of(server.requests[0]).get("authorization") == expected


def test_request_headers_replace_default_headers() -> None:
    request = Request("POST", "/completions", b"{}", headers=(("Content-Type", "text/plain"),))
    _, server = requested(OK, request=request)
    assert server.requests[0].lower().count(b"content-type") == 1
    assert head_of(server.requests[0])["content-type"] == "text/plain"


def test_empty_request_header_is_left_out() -> None:
    request = Request("POST", "/completions", b"{}", headers=(("Authorization", ""),))
    _, server = requested(OK, request=request)
    assert "authorization" not in head_of(server.requests[0])


def test_target_headers_are_sent_and_secrets_hidden() -> None:
    secret = "what-only-the-owner-knows"
    headers = (("X-Gateway", secret), ("X-Tenant", "acme"), ("Content-Type", "text/csv"))
    showing = respond(f"you sent {secret} for acme".encode(), "200 OK")
    request = Request("POST", "/completions", b"{}", headers=(("content-type", "text/plain"),))

    async def ask() -> tuple[Exchange, Loopback]:
        async with serving(showing) as server:
            named = Target(server.base_url, "m", "openai", headers=headers, secrets=(secret,))
            async with Client(named) as client:
                return await client.send(request), server

    exchange, server = asyncio.run(ask())
    sent = head_of(server.requests[0])
    assert (sent["x-gateway"], sent["x-tenant"]) == (secret, "acme")
    assert sent["content-type"] == "text/plain", "a check that sends another has a reason"
    assert server.requests[0].lower().count(b"content-type") == 1
    assert exchange.body == b"you sent [redacted] for acme"
    assert secret not in repr(exchange)


def test_environment_adds_no_credentials_or_local_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    keyless = Request("POST", "/completions", b"{}", credentials=Credentials.NONE)
    exchange, server = requested(OK, request=keyless)
    assert exchange.status == 200
    assert "authorization" not in head_of(server.requests[0])


# ── what comes back ──────────────────────────────────────────────────────────────────────────────


def test_response_is_recorded_unchanged() -> None:
    body = b'{"text": "\xff\xfe is no UTF-8"}'
    exchange, _ = requested(respond(body, "200 OK", "X-Twice: a", "X-Twice: b"))
    assert (exchange.status, exchange.body, exchange.fault) == (200, body, None)
    assert [value for name, value in exchange.headers if name.lower() == "x-twice"] == ["a", "b"]
    assert sum(arrival.size for arrival in exchange.arrivals) == len(body)
    assert len(exchange.attempts) == 1


def test_five_megabyte_response_is_recorded() -> None:
    body = b"x" * 5_000_000
    # A request without a limit, to a contract without a default.
    exchange, _ = requested(respond(body), default_tokens=None)
    assert exchange.body == body
    assert exchange.fault is None


def test_redirect_is_reported_and_not_followed() -> None:
    elsewhere = respond(
        b"", "307 Temporary Redirect", "Location: http://127.0.0.1:9/v1/completions"
    )
    exchange, server = requested(elsewhere)
    assert exchange.status == 307
    assert exchange.header("location") == "http://127.0.0.1:9/v1/completions"
    assert len(server.requests) == 1


def test_endless_stream_is_closed_after_the_requested_events() -> None:
    request = Request("POST", "/completions", b"{}", read_events=3)
    exchange, _ = requested(endless(b"data: {}\n\n"), request=request)
    assert exchange.body.startswith(b"data: {}\n\n" * 3)
    assert exchange.fault is None


def test_endless_body_is_cut_at_the_limit() -> None:
    exchange, _ = requested(endless(b": comment\n" * 10_000), body_limit=2**20)
    assert len(exchange.body) == 2**20
    assert exchange.fault is not None
    assert exchange.fault.endswith("sent more than 1 MiB; the rest was not read")
    assert len(exchange.attempts) == 1


# ── faults, each in one sentence ─────────────────────────────────────────────────────────────────


def error_of(exchange: Exchange) -> str:
    assert exchange.fault is not None
    assert "\n" not in exchange.fault
    return exchange.fault


def test_connection_refused_is_reported() -> None:
    async def ask() -> tuple[Exchange, str]:
        async with serving(OK) as server:
            url = server.base_url
        return await send(url), url

    exchange, url = asyncio.run(ask())
    assert exchange.status is None
    assert error_of(exchange) == f"connection refused: no server is listening at {url}"
    assert [attempt.status for attempt in exchange.attempts] == [None, None, None]


def test_unknown_host_is_not_retried() -> None:
    exchange = asyncio.run(send("http://nowhere.invalid/v1"))
    assert error_of(exchange).startswith(
        "DNS error: cannot resolve the host name of http://nowhere.invalid/v1"
    )
    assert len(exchange.attempts) == 1


def test_untrusted_certificate_is_not_retried() -> None:
    async def ask() -> Exchange:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(UNTRUSTED)
        async with serving(OK, tls=tls) as server:
            return await send(server.base_url)

    exchange = asyncio.run(ask())
    assert error_of(exchange).startswith("TLS error: the certificate of https://127.0.0.1:")
    assert "not trusted: self-signed certificate" in error_of(exchange)
    assert len(exchange.attempts) == 1


def test_https_request_to_http_server_is_reported() -> None:
    exchange = asyncio.run(_https_to_plain())
    assert error_of(exchange).startswith("TLS error: handshake with https://127.0.0.1:")
    assert len(exchange.attempts) == 1


async def _https_to_plain() -> Exchange:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        return await send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")


def test_server_that_never_responds_times_out() -> None:
    exchange, server = requested(hang, timeout=0.3)
    assert error_of(exchange) == (f"timeout: no response from {server.base_url} within 0.3 s")
    assert len(server.requests) == 3


def test_stalled_stream_is_kept_and_not_retried() -> None:
    begun = b'data: {"a": 1}\n\n'
    exchange, server = requested(then_hang(STREAM_HEAD + begun), silence=0.2)
    assert (exchange.status, exchange.body) == (200, begun)
    assert "sent nothing for 0.2 s in the middle of its response" in error_of(exchange)
    assert len(server.requests) == 1


def test_slow_response_times_out() -> None:
    exchange, _ = requested(endless(b": still alive\n\n", pause=0.01), timeout=1)
    assert exchange.status == 200
    assert "was incomplete after 1 s" in error_of(exchange)


def test_incomplete_body_is_kept() -> None:
    cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"0123456789")
    exchange, server = requested(cut)
    assert (exchange.status, exchange.body) == (200, b"0123456789")
    assert error_of(exchange).startswith(f"incomplete response from {server.base_url}")
    assert len(exchange.attempts) == 3


def test_invalid_http_is_reported() -> None:
    exchange, _ = requested(raw(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert "" in error_of(exchange)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "the base URL '' must begin with http:// or https://"),
        ("example.org/v1", "must begin with http:// or https://"),
        ("ftp://example.org", "must begin with http:// or https://"),
        ("http:///v1", "has no host"),
        ("http://127.0.0.1:port/v1", "is invalid"),
        ("http://me:hidden@127.0.0.1/v1", "must not contain a user name"),
    ],
)
def test_invalid_base_url_is_reported(url: str, sentence: str) -> None:
    exchange = asyncio.run(send(url))
    assert sentence in error_of(exchange)
    assert "hidden" not in error_of(exchange)
    assert len(exchange.attempts) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTPS_PROXY", "carrier-pigeon://loft"), ("SSL_CERT_FILE", "/nowhere/ca.pem")],
)
def test_invalid_environment_is_reported(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    exchange = asyncio.run(send("https://nowhere.invalid/v1"))
    assert "invalid proxy or certificate settings" in error_of(exchange)


def test_invalid_key_is_reported() -> None:
    async def ask() -> Exchange:
        async with (
            serving(OK) as server,
            Client(target(server.base_url, "sk-key\nwith a second line")) as client,
        ):
            return await client.send(ASK)

    assert error_of(asyncio.run(ask())).startswith("the request cannot be sent over HTTP")


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────


def test_reset_connection_is_retried_and_recorded() -> None:
    naps = Naps()
    exchange, _ = requested(reset, reset, OK, sleep=naps)
    assert exchange.status == 200
    assert exchange.fault is None
    assert [attempt.status for attempt in exchange.attempts] == [None, None, 200]
    assert all(attempt.fault for attempt in exchange.attempts[:2])
    assert 0.25 <= naps.taken[0] <= 0.5 <= naps.taken[1] <= 1.0


def test_rate_limit_waits_for_retry_after() -> None:
    naps = Naps()
    busy = respond(b"{}", "429 Too Many Requests", "Retry-After: 7")
    exchange, _ = requested(busy, OK, sleep=naps)
    assert exchange.status == 200
    assert naps.taken == [7]
    assert [attempt.status for attempt in exchange.attempts] == [429, 200]


def test_failed_attempts_are_truncated_and_redacted() -> None:
    result = f'{{"error": "{KEY} has to wait"}}'.encode() + b" " * ATTEMPT_LIMIT
    busy = respond(result, "429 Too Many Requests", f"Retry-After: {KEY}")
    exchange, _ = requested(busy, OK, sleep=Naps())
    first, last = exchange.attempts
    assert first.body.startswith(b'{"error": "')
    assert len(first.body) == ATTEMPT_LIMIT
    assert first.retry_after is not None
    assert KEY not in first.retry_after
    assert KEY.encode() not in first.body
    assert (last.body, last.retry_after) == (b"", None)


def test_server_error_is_final_after_three_attempts() -> None:
    exchange, server = requested(respond(b"{}", "500 Internal Server Error"))
    assert exchange.status == 500
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "404 Not Found", "501 Nope"])
def test_conclusive_response_is_not_retried(status: str) -> None:
    _, server = requested(respond(b"{}", status))
    assert len(server.requests) == 1


def test_retries_need_budget() -> None:
    exchange, server = requested(respond(b"{}", "503 Unavailable"), may_retry=lambda: False)
    assert exchange.status == 503
    assert len(server.requests) == 1


# ── the key ──────────────────────────────────────────────────────────────────────────────────────


def test_key_is_never_recorded() -> None:
    echoing = respond(
        f'{{"error": {{"message": "you sent Bearer {KEY}"}}}}'.encode(),
        "400 Bad Request",
        f"X-Debug: key={KEY}",
        "Set-Cookie: session=1",
    )
    exchange, server = requested(echoing)
    assert KEY in server.requests[0].decode()
    assert KEY not in repr(exchange)
    assert b"you sent Bearer $API_KEY" in exchange.body
    assert exchange.header("x-debug") == "key=$API_KEY"
    assert exchange.header("set-cookie") == "[redacted]"
    assert sum(arrival.size for arrival in exchange.arrivals) == len(exchange.body)


def test_key_across_two_reads_is_found() -> None:
    async def in_halves(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in (STREAM_HEAD, f"data: {KEY[:9]}".encode(), f"{KEY[9:]}\n\n".encode()):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)

    exchange, _ = requested(in_halves)
    assert exchange.body == b"data: $API_KEY\n\n"
    assert sum(arrival.size for arrival in exchange.arrivals) == len(exchange.body)


def test_empty_balance_is_not_retried() -> None:
    """One try is enough: each more would be sent to an account that serves nothing."""
    naps = Naps()
    spent = b'{"error": {"code": "insufficient_quota", "message": "You exceeded your quota"}}'
    exchange, _ = requested(respond(spent, "429 Too Many Requests"), OK, sleep=naps)
    assert exchange.status == 429
    assert not naps.taken
    assert len(exchange.attempts) == 1
