"""Any value of a date header is a moment or none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.protocol.http_date import read_date

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 01 Jan 2026 12:00:00 GMT",
        "Thursday, 01-Jan-26 12:00:00 GMT",
        "Thu Jan  1 12:00:00 2026",
        "Thu, 01 Jan 2026 13:00:00 +0100",
    ],
)
def test_each_form_of_a_date_is_read(text: str) -> None:
    assert read_date(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "Mon, 01 Jan 99999999999999 00:00:00 GMT",
        f"Mon, 01 Jan {'9' * 5_000} 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 -99999999999999999999",
        "Mon, 01 Jan 2026 99999999999:00:00 GMT",
        "Mon,,,,",
    ],
)
def test_impossible_dates_are_none(text: str) -> None:
    assert read_date(text) is None


@given(st.text(max_size=70))
def test_any_text_is_read(text: str) -> None:
    result = read_date(text)
    assert result is None or result.tzinfo is not None
