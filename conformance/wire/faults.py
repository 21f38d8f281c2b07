"""What went wrong on the way to an answer, in one sentence that says what to look at."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that was not, or not wholly, answered; ``passing`` tells whether to try again."""

    sentence: str
    passing: bool


def no_answer(where: str, seconds: float) -> Fault:
    """The endpoint took the request and said nothing."""
    return Fault(f"{where} did not answer within {seconds:g} s", passing=True)


def too_slow(where: str, seconds: float) -> Fault:
    """The answer began and did not end; asking again would only hang again."""
    return Fault(f"{where} had not finished its answer after {seconds:g} s", passing=False)


def fell_silent(where: str, seconds: float) -> Fault:
    """The answer began and then stopped without an end."""
    return Fault(
        f"{where} fell silent for {seconds:g} s in the middle of its answer", passing=False
    )


def too_large(where: str, limit: int) -> Fault:
    """The answer outgrew what is kept."""
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit} bytes"
    return Fault(f"{where} sent more than {size}; the rest was not read", passing=False)


def broke_off(error: Exception, where: str) -> Fault:
    """The answer began, and the connection ended before it did."""
    return Fault(f"{where} broke off in the middle of its answer: {error}", passing=True)


def fault_of(error: Exception, where: str) -> Fault:
    """Put an error of the HTTP library into words, by its root cause where that is known."""
    causes = list(_causes(error))
    known = (_known_cause(cause, where) for cause in causes)
    return next((fault for fault in known if fault), None) or _library_error(error, where, causes)


def _known_cause(cause: BaseException, where: str) -> Fault | None:
    match cause:
        case socket.gaierror():
            return Fault(f"cannot resolve the host name of {where}: {cause.strerror}", False)
        case ssl.SSLCertVerificationError():
            why = cause.verify_message or "it was not accepted"
            return Fault(f"TLS error: the certificate of {where} is not trusted: {why}", False)
        case ssl.SSLError():
            why = (cause.reason or str(cause)).replace("_", " ").lower()
            return Fault(f"TLS error: {where} does not speak TLS as expected: {why}", False)
        case ConnectionRefusedError():
            return Fault(f"connection refused: nothing listens at {where}", passing=True)
    return None


def _library_error(error: Exception, where: str, causes: list[BaseException]) -> Fault:
    passing = True
    match error:
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            passing, sentence = False, f"the base URL is not valid: {error}"
        case httpx.LocalProtocolError() | UnicodeError():
            passing, sentence = False, f"the request cannot be put into HTTP: {error}"
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            sentence = f"no connection to {where} in time"
        case httpx.ConnectError():
            sentence = f"cannot connect to {where}: {_reason(causes)}"
        case httpx.ProxyError():
            sentence = f"the proxy on the way to {where} failed: {error}"
        case httpx.RemoteProtocolError() | httpx.DecodingError():
            sentence = f"{where} does not speak HTTP as expected: {error}"
        case _:
            sentence = f"the connection to {where} broke off: {_reason(causes)}"
    return Fault(sentence, passing)


def _reason(causes: list[BaseException]) -> str:
    """The operating system's own words where there are some."""
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(causes[0]) or type(causes[0]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to its roots; several addresses of a host fail as a group."""
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
