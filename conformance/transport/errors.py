"""Transport errors, each described in one sentence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from conformance.locale.foreign import known
from conformance.message import Message, say
from conformance.transport.connections import ProxyFaultError

MAX_QUOTED = 200
"""Characters of a library's message in a sentence."""


@dataclass(frozen=True, slots=True)
class TransportError:
    """A request without a complete response; ``passing`` is true if a retry may succeed."""

    sentence: Message
    passing: bool


def no_answer(where: str, seconds: float) -> TransportError:
    """No response started in time."""
    return TransportError(
        say(
            "timeout: no response from {address} within {seconds} s",
            address=where,
            seconds=f"{seconds:g}",
        ),
        passing=True,
    )


def too_slow(where: str, seconds: float) -> TransportError:
    """The response did not end in time; it is not retried."""
    return TransportError(
        say(
            "timeout: the response from {address} was incomplete after {seconds} s",
            address=where,
            seconds=f"{seconds:g}",
        ),
        passing=False,
    )


def fell_silent(where: str, seconds: float) -> TransportError:
    """The response stopped in the middle."""
    return TransportError(
        say(
            "timeout: {address} sent nothing for {seconds} s in the middle of its response",
            address=where,
            seconds=f"{seconds:g}",
        ),
        passing=False,
    )


def too_large(where: str, limit: int, *, inflated: bool = False) -> TransportError:
    """The response is larger than the limit, as it was sent or once it is inflated."""
    # Coarse, so that requests with almost the same limit have the same sentence.
    size = f"{limit // 2**20} MiB" if limit % 2**20 == 0 else f"{limit // 2**10} KiB"
    if inflated:
        return TransportError(
            say(
                "response too large: the body from {address} inflates to more than "
                "{size}; the rest was not read",
                address=where,
                size=size,
            ),
            passing=False,
        )
    return TransportError(
        say(
            "response too large: {address} sent more than {size}; the rest was not read",
            address=where,
            size=size,
        ),
        passing=False,
    )


def too_many_headers(where: str, count: int, limit: int) -> TransportError:
    """The response has more headers than are kept."""
    return TransportError(
        say(
            "response too large: {address} sent {count} headers, more than {limit};"
            " the body was not read",
            address=where,
            count=count,
            limit=limit,
        ),
        passing=False,
    )


def cannot_decode(where: str, reason: Message) -> TransportError:
    """The body has a content encoding that cannot be undone; the server would repeat it."""
    return TransportError(
        say("cannot decode the response from {address}: its body {why}", address=where, why=reason),
        passing=False,
    )


def incomplete_body(error: Exception, where: str) -> TransportError:
    """The connection ended before the response was complete, or its framing is invalid."""
    if _is_endless_line(error):
        return TransportError(
            say(
                "invalid HTTP response from {where}: the first line of a chunk or the "
                "trailer has no end",
                where=where,
            ),
            passing=False,
        )
    # h11 says that the peer closed the connection, or what it cannot read.
    if isinstance(error, httpx.RemoteProtocolError) and "closed" not in str(error):
        return TransportError(
            say(
                "invalid HTTP response from {address}: {why}",
                address=where,
                why=known(_shortened(error)),
            ),
            passing=False,
        )
    return TransportError(
        say(
            "incomplete response from {address}: {why}", address=where, why=known(_shortened(error))
        ),
        passing=True,
    )


def error_of(error: Exception, where: str) -> TransportError:
    """Describe an error of the HTTP library, by its root cause if known."""
    if isinstance(error, ProxyFaultError):
        where, error = error.proxy, error.reason
        if isinstance(error, httpx.ProxyError):
            return TransportError(
                say(
                    "proxy error: {address} refuses the connection: {why}",
                    address=where,
                    why=str(error),
                ),
                False,
            )
    causes = list(_causes(error))
    known = (_known_cause(cause, where) for cause in causes)
    return next(
        (transport_error for transport_error in known if transport_error), None
    ) or _library_error(error, where, causes)


def _known_cause(cause: BaseException, where: str) -> TransportError | None:
    match cause:
        case socket.gaierror():
            return TransportError(
                say(
                    "DNS error: cannot resolve the host name of {address}: {why}",
                    address=where,
                    why=cause.strerror,
                ),
                False,
            )
        case ssl.SSLCertVerificationError():
            why = (
                known(cause.verify_message) if cause.verify_message else say("verification failed")
            )
            return TransportError(
                say(
                    "TLS error: the certificate of {address} is not trusted: {why}",
                    address=where,
                    why=why,
                ),
                False,
            )
        case ssl.SSLError():
            reason = (cause.reason or str(cause)).replace("_", " ").lower()
            return TransportError(
                say("TLS error: handshake with {address} failed: {why}", address=where, why=reason),
                False,
            )
        case ConnectionRefusedError():
            return TransportError(
                say("connection refused: no server is listening at {address}", address=where),
                passing=True,
            )
    return None


def _library_error(error: Exception, where: str, causes: list[BaseException]) -> TransportError:
    passing = True
    match error:
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            passing, sentence = False, say("invalid base URL: {why}", why=str(error))
        case httpx.LocalProtocolError() | UnicodeError():
            passing, sentence = (
                False,
                say("the request cannot be sent over HTTP: {why}", why=str(error)),
            )
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            sentence = say("timeout: no connection to {address} in time", address=where)
        case httpx.ConnectError():
            sentence = say(
                "cannot connect to {address}: {why}", address=where, why=known(_reason(causes))
            )
        case httpx.ProxyError():
            sentence = say(
                "proxy error on the way to {address}: {why}", address=where, why=str(error)
            )
        case httpx.RemoteProtocolError() if _is_endless_line(error):
            passing = False
            sentence = say(
                "response too large: the headers of the response from {address} have no end",
                address=where,
            )
        case httpx.RemoteProtocolError():
            sentence = say(
                "invalid HTTP response from {address}: {why}",
                address=where,
                why=known(_shortened(error)),
            )
        case _:
            sentence = say(
                "connection to {address} lost: {why}", address=where, why=known(_reason(causes))
            )
    return TransportError(sentence, passing)


def _reason(causes: list[BaseException]) -> str:
    """Return the operating system's error message if there is one."""
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(causes[0]) or type(causes[0]).__name__


def _is_endless_line(error: Exception) -> bool:
    """Return whether h11 gave up on headers, a chunk's first line or a trailer, at 100 KiB."""
    return isinstance(error, httpx.RemoteProtocolError) and "buffer too long" in str(error)


def _shortened(error: Exception) -> str:
    """Return an error's message; h11 quotes what it cannot read, however long."""
    text = str(error)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes; several addresses of a host fail as a group."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            todo.extend(current.exceptions)
        todo.extend(c for c in (current.__cause__, current.__context__) if c is not None)
