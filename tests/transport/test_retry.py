"""Which requests are retried, and after how long."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ([("Retry-After", "1e999")], None),
        ([("Retry-After", "3, 5")], None),
        ([("Retry-After", "²")], None),
        ([("Retry-After", "٣")], None),
        ([("Retry-After-Ms", "-5"), ("Retry-After", "1")], 1.0),
        ([], None),
    ],
)
def test_retry_after_is_read(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert requested_wait(headers, NOON) == seconds


@pytest.mark.parametrize("name", ["Retry-After", "retry-after-ms"])
@pytest.mark.parametrize("number", ["3600000", "9" * 400, "9" * 100_000, f"{'9' * 5_000}.5"])
def test_wait_is_limited(name: str, number: str) -> None:
    assert wait(1, 429, (name, number)) == MAX_WAIT_SECONDS


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999 00:00:00 GMT",
        f"Mon, 01 Jan {'9' * 5_000} 00:00:00 GMT",
        "Mon, 01 Jan 9999 23:59:59 -9999",
        "Mon, 01 Jan 9999 23:59:59 -99999999999999999999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 32 Jan 2026 25:61:61 GMT",
        "Mon, 01 Jan 2026 99999999999:00:00 GMT",
        "Mon, 01 Jan 9999 00:00:00 GMT",
        "Mon,,,,",
        ", : : :",
        "\x00",
    ],
)
def test_impossible_dates_wait_like_any_other_error(date: str) -> None:
    result = wait(1, 429, ("Retry-After", date))
    assert result is not None
    assert 0 <= result <= MAX_WAIT_SECONDS


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_header_gives_a_sane_wait(millis: str, seconds: str) -> None:
    result = wait(1, 429, ("Retry-After-Ms", millis), ("Retry-After", seconds))
    assert result is not None
    assert 0 <= result <= MAX_WAIT_SECONDS


def test_jitter_is_repeatable() -> None:
    waits = [wait_before_retry(1, 503, (), random.Random(7)) for _ in range(2)]
    assert waits[0] == waits[1]
