"""The connections to one endpoint: the environment's proxy and certificates, and their framing.

httpx offers neither a look at the bytes behind a response nor the name of a proxy that fails, so
this is its transport over httpcore, whose public interface has both.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx

from conformance.message import Message, say
from conformance.transport.framing import (
    StaleConnectionError,
    Trust,
    WatchedNetwork,
    WatchedStream,
)
from conformance.transport.proxies import Proxy, proxy_for

KEPT_CONNECTIONS = 32
"""Idle connections that are kept."""

IDLE_SECONDS = 5.0
"""Seconds that an idle connection is kept; servers close theirs later."""

SURPLUS = "surplus"
"""The extension of a response for what came behind it; filled when the response is closed."""


HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


INSTALL_SOCKS = "pip install 'httpx[socks]'"


class EnvironmentFaultError(ValueError):
    """A proxy or a certificate file of the environment is unusable; ``said`` names it."""

    def __init__(self, said: Message) -> None:
        super().__init__(said)
        self.said = said


class IdleClosedError(httpx.ReadError):
    """A request met a connection that had been closed while idle, so that it has to be repeated."""


class ProxyFaultError(httpx.ProxyError):
    """A request has failed at the proxy.

    Attributes:
        proxy: the proxy as shown.
        reason: the error there, as if the proxy were the endpoint.
    """

    def __init__(self, proxy: Proxy, reason: Exception) -> None:
        super().__init__(str(reason))
        self.proxy = proxy.shown
        self.reason = reason


class Connections(httpx.AsyncBaseTransport):
    """Connections to one endpoint, directly or through a proxy.

    Raises:
        EnvironmentFaultError: the environment's proxy or certificates are unusable.
    """

    def __init__(self, base_url: str, environ: Mapping[str, str] | None = None) -> None:
        self._proxy = proxy_for(base_url, environ)
        self._trust = Trust()
        self._pool = self._opened(base_url, os.environ if environ is None else environ)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of its response.

        Raises:
            ProxyFaultError: the proxy cannot be reached or refuses.
            httpx.TransportError: any other failure.
        """
        stages = _Stages(request, self._proxy)
        try:
            async with stages.limit:
                response = await self._pool.handle_async_request(
                    httpcore.Request(
                        method=request.method,
                        url=_address(request.url),
                        headers=request.headers.raw,
                        content=cast(httpx.AsyncByteStream, request.stream),
                        extensions={**request.extensions, "trace": stages.reached},
                    )
                )
        except (*HTTPCORE_ERRORS, TimeoutError) as raised:
            error = _as_httpx(raised)
            if self._proxy and (stages.is_connecting or isinstance(error, httpx.ProxyError)):
                raise ProxyFaultError(self._proxy, error) from raised
            raise error from raised
        if self._proxy and response.status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            await response.aclose()
            raise ProxyFaultError(
                self._proxy, httpx.ProxyError("407 Proxy Authentication Required")
            )
        surplus = bytearray()
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response, surplus),
            extensions={**response.extensions, SURPLUS: surplus},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def _opened(self, base_url: str, environ: Mapping[str, str]) -> httpcore.AsyncConnectionPool:
        options: dict[str, Any] = {
            "max_keepalive_connections": KEPT_CONNECTIONS,
            "max_connections": None,
            "keepalive_expiry": IDLE_SECONDS,
            "network_backend": WatchedNetwork(self._trust),
        }
        proxy = self._proxy
        # Without TLS no certificates are needed, and loading them takes as long as ten requests.
        is_tls = base_url.lower().startswith("https:")
        options["ssl_context"] = _certificates(environ) if is_tls else None
        if proxy is None:
            return httpcore.AsyncConnectionPool(**options)
        try:
            read = httpx.Proxy(proxy.url)
        except (ValueError, httpx.InvalidURL) as error:
            raise EnvironmentFaultError(
                say("{proxy} is invalid: {why}", proxy=proxy.shown, why=str(error))
            ) from None
        address = _address(read.url)
        if read.url.scheme in {"socks5", "socks5h"}:
            try:
                return httpcore.AsyncSOCKSProxy(address, proxy_auth=read.raw_auth, **options)
            except (ImportError, RuntimeError):
                raise EnvironmentFaultError(
                    say(
                        "{proxy} needs a package that is not installed: {command}",
                        proxy=proxy.shown,
                        command=INSTALL_SOCKS,
                    )
                ) from None
        if read.url.scheme == "https":
            options["proxy_ssl_context"] = _certificates(environ)
        return httpcore.AsyncHTTPProxy(address, proxy_auth=read.raw_auth, **options)


class _Body(httpx.AsyncByteStream):
    """The body of a response; closing it tells what came behind it."""

    def __init__(self, response: httpcore.Response, surplus: bytearray) -> None:
        self._response = response
        self._surplus = surplus
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        stream = self._response.extensions.get("network_stream")
        if isinstance(stream, WatchedStream) and not self._is_closed:
            # Only until the next line can the connection not be given to another request.
            self._surplus += await stream.settle()
        self._is_closed = True
        with _as_httpx_errors():
            await self._response.aclose()


def surplus_of(response: httpx.Response) -> bytes:
    """Return the beginning of what came behind a closed response; empty if nothing did."""
    return bytes(response.extensions.get(SURPLUS, b""))


def _address(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the trusted certificates: the environment's, or else the public ones.

    Raises:
        EnvironmentFaultError: the file or the folder cannot be used.
    """
    if file := environ.get("SSL_CERT_FILE"):
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or say("it has no certificates")
            if isinstance(error, ssl.SSLError):
                reason = say("it has no valid certificates")
            raise EnvironmentFaultError(
                say("$SSL_CERT_FILE is {file}: {reason}", file=file, reason=reason)
            ) from None
    if folder := environ.get("SSL_CERT_DIR"):
        if not any(Path(part).is_dir() for part in folder.split(os.pathsep)):
            raise EnvironmentFaultError(
                say("$SSL_CERT_DIR is {folder}: there is no such folder", folder=folder)
            )
        return ssl.create_default_context(capath=folder)
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """Raise httpcore's errors as httpx's."""
    try:
        yield
    except HTTPCORE_ERRORS as error:
        raise _as_httpx(error) from error


def _as_httpx(error: Exception) -> httpx.TransportError:
    """Return httpx's error of the same name; a mere timeout is one of connecting."""
    if isinstance(error, StaleConnectionError):
        stale = IdleClosedError(str(error))
        stale.__cause__ = error
        return stale
    name = "ConnectTimeout" if isinstance(error, TimeoutError) else type(error).__name__
    kind: type[httpx.TransportError] = getattr(httpx, name)
    mapped = kind(str(error))
    mapped.__cause__ = error
    return mapped


class _Stages:
    """The stages that a request has reached.

    Attributes:
        is_connecting: whether it is between this client and the endpoint, so that an error is the
            proxy's.
        limit: bounds that time. httpcore bounds the connection to a proxy, but not its answer to
            CONNECT.
    """

    def __init__(self, request: httpx.Request, proxy: Proxy | None) -> None:
        self._has_proxy = proxy is not None
        self._is_tunnel = request.url.scheme == "https"
        self._seconds: float | None = request.extensions.get("timeout", {}).get("connect")
        self.is_connecting = False
        self.limit = asyncio.timeout(None)

    async def reached(self, name: str, _details: Mapping[str, Any]) -> None:
        """Note a stage, as httpcore's extension ``trace`` names it: ``http11.….started``."""
        module, _, stage = name.partition(".")
        if not self._has_proxy:
            return
        if stage == "connect_tcp.started":
            self.is_connecting = True
            self._limit(self._seconds)
        # TLS with the endpoint; TLS with an https proxy is a stage of the connection.
        is_through = stage == "start_tls.started" and module != "connection"
        if self.is_connecting and (is_through if self._is_tunnel else module == "http11"):
            self.is_connecting = False
            self._limit(None)

    def _limit(self, seconds: float | None) -> None:
        when = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self.limit.reschedule(when)
