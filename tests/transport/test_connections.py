"""The environment's proxies and certificates, and which of them an error is about."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from conformance.model import Exchange, Request, Target
from conformance.transport.client import Client
from tests.transport.loopback import Behaviour, hang, raw, respond, serving

ASK = Request("POST", "/completions", b"{}")
VENDOR = "https://vendor.invalid/v1"
UNTRUSTED = Path(__file__).with_name("untrusted.pem")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


async def send(url: str, timeout: float = 5) -> Exchange:  # noqa: ASYNC109 - the client's
    target = Target(url, "m", "openai", api_key="sk-key")
    async with Client(target, timeout=timeout, may_retry=lambda: False) as client:
        return await client.send(ASK)


def through(
    monkeypatch: pytest.MonkeyPatch, *behaviours: Behaviour, url: str = VENDOR, timeout: float = 5
) -> tuple[Exchange, list[bytes], str]:
    """Send a request through a proxy that behaves so; also what it got, and its shown URL."""

    async def story() -> tuple[Exchange, list[bytes], str]:
        async with serving(*behaviours) as proxy:
            address = proxy.base_url.removesuffix("/v1")
            monkeypatch.setenv("ALL_PROXY", address.replace("://", "://user:hidden@"))
            return await send(url, timeout), proxy.requests, address

    return asyncio.run(story())


def fault_of(exchange: Exchange) -> str:
    assert exchange.fault is not None
    assert "hidden" not in exchange.fault
    return exchange.fault


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{closed_port()}"
    for url, variable in ((VENDOR, "https_proxy"), ("http://vendor.invalid/v1", "http_proxy")):
        monkeypatch.setenv(variable, f"http://user:hidden@{address}")
        assert fault_of(asyncio.run(send(url))) == (
            f"connection refused: no server is listening at the proxy http://{address} "
            f"(from ${variable})"
        )


def test_unknown_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hidden@proxy.invalid:3128")
    fault = fault_of(asyncio.run(send(VENDOR)))
    assert fault.startswith(
        "DNS error: cannot resolve the host name of the proxy http://proxy.invalid:3128 "
    )


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "502 Bad Gateway"])
def test_refusal_of_the_proxy_is_its_own(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    exchange, requests, address = through(monkeypatch, respond(b"no", status))
    assert requests[0].startswith(b"CONNECT vendor.invalid:443 HTTP/1.1\r\n")
    assert b"sk-key" not in requests[0]
    assert fault_of(exchange) == (
        f"proxy error: the proxy {address} (from $ALL_PROXY) refuses the connection: {status}"
    )


def test_forwarding_proxy_that_wants_a_login_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = respond(b"no", "407 Proxy Authentication Required")
    exchange, _, address = through(monkeypatch, refusal, url="http://vendor.invalid/v1")
    assert f"the proxy {address} (from $ALL_PROXY) refuses" in fault_of(exchange)


def test_proxy_that_speaks_no_http_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange, _, address = through(monkeypatch, raw(b"SSH-2.0-OpenSSH_9.6\r\n"))
    assert fault_of(exchange).startswith(f"invalid HTTP response from the proxy {address} (from")


def test_silent_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.transport.client.CONNECT_SECONDS", 0.3)
    exchange, _, address = through(monkeypatch, hang)
    assert fault_of(exchange) == (
        f"timeout: no connection to the proxy {address} (from $ALL_PROXY) in time"
    )


def test_error_behind_the_proxy_is_the_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://vendor.invalid/v1"
    exchange, requests, _ = through(monkeypatch, raw(b"junk\r\n\r\n"), url=url)
    assert requests[0].startswith(b"POST http://vendor.invalid/v1/completions HTTP/1.1\r\n")
    assert fault_of(exchange).startswith("invalid HTTP response from http://vendor.invalid/v1:")
    answered, _, _ = through(monkeypatch, respond(b"{}"), url=url)
    assert (answered.status, answered.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HTTPS_PROXY", "carrier-pigeon://me:hidden@loft", "carrier-pigeon://loft"),
        ("HTTPS_PROXY", "http://proxy:port", "the proxy http://proxy:port (from $HTTPS_PROXY)"),
        ("ALL_PROXY", "socks5://me:hidden@127.0.0.1:1", "pip install 'httpx[socks]'"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "$SSL_CERT_FILE is /nowhere/ca.pem: No such file"),
        ("SSL_CERT_FILE", __file__, f"$SSL_CERT_FILE is {__file__}: it has no valid certificates"),
        ("SSL_CERT_DIR", "/nowhere", "$SSL_CERT_DIR is /nowhere: there is no such folder"),
    ],
)
def test_unusable_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    fault = fault_of(asyncio.run(send(VENDOR)))
    assert fault.startswith("invalid proxy or certificate settings in the environment: ")
    assert said in fault


def test_excepted_host_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "other.example,vendor.invalid")
    assert "host name of https://vendor.invalid/v1" in fault_of(asyncio.run(send(VENDOR)))


def test_certificates_of_the_environment_count_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They count, while the proxies beside them do not."""

    async def story() -> Exchange:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(UNTRUSTED)
        async with serving(respond(b"{}"), tls=tls) as server:
            return await send(server.base_url)

    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port()}")
    assert "is not trusted" in fault_of(asyncio.run(story()))
    monkeypatch.setenv("SSL_CERT_FILE", str(UNTRUSTED))
    assert asyncio.run(story()).status == 200
