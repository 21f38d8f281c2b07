"""Servers with temporary errors, after which a client retries."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from reference_server.behaviour.messages import (
    Behaviour,
    ClientRequest,
    Part,
    ServerResponse,
    Upstream,
    encode,
    json_response,
)
from reference_server.behaviour.registry import variant

FIFTH = 5
LIMITED = range(8, 20)
"""Which requests are limited for a while, counting retries."""

ERROR_SHARE = 0.04
"""The share of requests that get an error instead."""


@variant("limited", may_be_inconclusive=True)
def limited() -> Behaviour:
    """Some requests get 429, with ``Retry-After`` of one second."""
    return _Now(lambda: _limit().with_header("retry-after", "1"))


@variant("limited-until", may_be_inconclusive=True)
def limited_until() -> Behaviour:
    """Some requests get 429, with a date in ``Retry-After``."""

    def made() -> ServerResponse:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        return _limit().with_header("retry-after", format_datetime(soon, usegmt=True))

    return _Now(made)


@variant("limited-for-milliseconds", may_be_inconclusive=True)
def limited_for_milliseconds() -> Behaviour:
    """Some requests get 429, with the time to wait in milliseconds."""
    return _Now(
        lambda: _limit().with_header("retry-after-ms", "40").with_header("retry-after", "1")
    )


@variant("busy", may_be_inconclusive=True)
def busy() -> Behaviour:
    """Some requests get 503, with the error object and ``Retry-After``."""
    return _Now(lambda: _trouble(503, "The server is overloaded.").with_header("retry-after", "1"))


@variant("bad-gateway", may_be_inconclusive=True)
def bad_gateway() -> Behaviour:
    """Some requests get 502 with an HTML page from a proxy."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return _Now(lambda: ServerResponse(502, (("content-type", "text/html"),), (Part(page),)))


@variant("one-stream-fails", may_be_inconclusive=True)
def one_stream_fails() -> Behaviour:
    """One stream of all ends with an error after its first chunk."""
    return _Once(_error_event, lambda got: got.is_stream)


@variant("one-connection-lost", may_be_inconclusive=True)
def one_connection_lost() -> Behaviour:
    """One response of all is cut in the middle; its retry is served."""

    def cut(got: ServerResponse) -> ServerResponse:
        return replace(got.with_raw(got.raw[: len(got.raw) // 2]), cut=True)

    return _Once(cut, lambda got: got.status == 200)


@variant("limited-for-a-while", may_be_inconclusive=True)
def limited_for_a_while() -> Behaviour:
    """Some requests in a row get 429 with ``Retry-After``."""
    count = 0

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        nonlocal count
        count += 1
        if count in LIMITED:
            return _limit().with_header("retry-after", "0")
        return await upstream(request)

    return behave


def _error_event(got: ServerResponse) -> ServerResponse:
    error = {"message": "The server had an error.", "type": "server_error"}
    return got.with_data([got.data[0], encode({"error": error}).decode()])


class _Once:
    """Changes one response, the fifth of those that it could change."""

    def __init__(
        self,
        change: Callable[[ServerResponse], ServerResponse],
        when: Callable[[ServerResponse], bool],
    ) -> None:
        self._change, self._when, self._count = change, when, 0

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        got = await upstream(request)
        self._count += self._when(got)
        return self._change(got) if self._count == FIFTH and self._when(got) else got


class _Now:
    """Sometimes responds instead of the server."""

    def __init__(self, made: Callable[[], ServerResponse]) -> None:
        self._made = made
        self._chance = random.Random(4)  # noqa: S311 - randomness that can be repeated

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        if self._chance.random() < ERROR_SHARE:
            return self._made()
        return await upstream(request)


def _limit() -> ServerResponse:
    return _trouble(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded")


def _trouble(
    status: int, message: str, kind: str = "server_error", code: str | None = None
) -> ServerResponse:
    inner = {"message": message, "type": kind, "param": None, "code": code}
    return json_response(status, {"error": inner})
