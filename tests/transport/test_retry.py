"""Which requests are retried, and after how long."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from conformance.transport.retry import MAX_WAIT_SECONDS, requested_wait, wait_before_retry

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def wait(tries: int, status: int | None, *headers: tuple[str, str]) -> float | None:
    return wait_before_retry(tries, status, headers, random.Random(0))


@pytest.mark.parametrize("status", [None, 429, 500, 502, 503, 504])
def test_transient_errors_are_retried_twice(status: int | None) -> None:
    assert wait(1, status) is not None
    assert wait(2, status) is not None
    assert wait(3, status) is None


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 408, 422, 501, 505])
def test_conclusive_responses_are_not_retried(status: int) -> None:
    assert wait(1, status) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "3")], 3.0),
        ([("retry-after", " 2.5 ")], 2.5),
        ([("Retry-After", "3"), ("Retry-After-Ms", "250")], 0.25),
        ([("Retry-After", "Thu, 01 Jan 2026 12:00:09 GMT")], 9.0),
        ([("Retry-After", "Thu, 01 Jan 2026 11:00:00 GMT")], 0.0),
        ([("Retry-After", "soon")], None),
        ([("Retry-After", "-1")], None),
        ([("Retry-After", "nan")], None),
        ([("Retry-After", "")], None),
        ([], None),
    ],
)
def test_retry_after_is_read(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert requested_wait(headers, NOON) == seconds


def test_wait_is_limited() -> None:
    assert wait(1, 429, ("Retry-After", "3600")) == MAX_WAIT_SECONDS


def test_jitter_is_repeatable() -> None:
    waits = [wait_before_retry(1, 503, (), random.Random(7)) for _ in range(2)]
    assert waits[0] == waits[1]
