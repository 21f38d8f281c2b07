"""Rate limits: how an endpoint reports one, if a run hits it.

No run provokes a limit, which would cost money and disturb other users. But the record has every
attempt that was limited, also if the request was served when it was repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.checks import invariant
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import say
from conformance.protocol.http_date import read_date
from conformance.protocol.trace import RecordedExchange

MAX_ERROR_BYTES = 2**16
"""Bytes of a body that is read as an error; no error is longer."""

RATE_LIMIT_CODES = frozenset(
    {"rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests"}
)
"""Error codes and types that mean a rate limit; an exhausted quota is a different error."""


@dataclass(frozen=True, slots=True)
class LimitedResponse:
    """One response that may be a rate limit: its status, its ``Retry-After``, its body."""

    status: int
    retry_after: str | None
    body: bytes

    @property
    def is_limit(self) -> bool:
        """Return whether it is a rate limit, by its status or by its error code or type."""
        return self.status == 429 or bool(RATE_LIMIT_CODES & set(_names(self.body)))


@invariant("errors.rate-limit", requirement="errors.rate-limit")
def every_rate_limit_is_a_429(exchange: RecordedExchange) -> None:
    """Every error of the run whose code or type is a rate limit has status 429.

    本次运行中，错误码或错误类型为限流的每个响应都使用状态码 429。
    """
    for limit in _limits(exchange):
        if limit.status != 429:
            name = say("status of a rate limit")
            raise Failure(
                say("{name} = {value}", name=name, value=429),
                say("{name} = {value}", name=name, value=limit.status),
            ).only_by_suite()


@invariant("errors.retry-after", requirement="errors.retry-after")
def every_rate_limit_has_retry_after(exchange: RecordedExchange) -> None:
    """Every 429 has `Retry-After`, in seconds or as a date.

    每个 429 都带有 `Retry-After`，其值为秒数或日期。
    """
    limits = [limit for limit in _limits(exchange) if limit.status == 429]
    if not limits:
        raise NotApplicable(say("no request was rejected with 429"))
    for limit in limits:
        if limit.retry_after is None or not _is_time(limit.retry_after):
            raise Failure(
                say("Retry-After in seconds or as a date"),
                say("Retry-After: {value}", value=shown(limit.retry_after)),
            ).only_by_suite()


def _limits(exchange: RecordedExchange) -> list[LimitedResponse]:
    found = [one for one in _tries(exchange) if one.is_limit]
    if not found:
        raise NotApplicable(say("no rate limit was hit"))
    return found


def _tries(recorded: RecordedExchange) -> Iterator[LimitedResponse]:
    """Yield every response to a request: those that were retried, and the last."""
    exchange = recorded.exchange
    for tried in exchange.attempts[:-1]:
        if tried.status is not None:
            yield LimitedResponse(tried.status, tried.retry_after, tried.body)
    if exchange.status is not None:
        yield LimitedResponse(exchange.status, exchange.header("retry-after"), exchange.body)


def _names(body: bytes) -> Iterator[str]:
    """Yield the code and the type of an error."""
    if len(body) > MAX_ERROR_BYTES:
        return
    try:
        result: Any = json.loads(body)
    except (ValueError, RecursionError):
        return
    error = result.get("error") if isinstance(result, dict) else None
    if isinstance(error, dict):
        yield from (
            word for word in (error.get("code"), error.get("type")) if isinstance(word, str)
        )


def _is_time(text: str) -> bool:
    """Return whether a header value is a number of seconds or an HTTP date."""
    is_number = re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", text) is not None
    return is_number or read_date(text) is not None
