"""A strip of days is short where little changes, and says what each bar is."""

from __future__ import annotations

import re
from datetime import date

import pytest

from conformance.history.site.days import Span, Stretch, span_until, stretches, worst_of_days
from conformance.history.site.kinds import RUN_ORDER, RUNS, SUBJECTS
from conformance.history.site.series import page_name
from conformance.history.site.strip import MAX_TITLES, axis, strip
from tests.history.entries import an_entry

DAY = date(2026, 1, 1).toordinal()
YEAR = Span(DAY, DAY + 364)
GOOD, BAD = "conforming", "not conforming"


def test_equal_days_are_one_bar() -> None:
    kinds = {DAY: GOOD, DAY + 1: GOOD, DAY + 2: BAD, DAY + 4: BAD, DAY - 1: BAD}
    assert list(stretches(kinds, YEAR)) == [
        Stretch(0, 2, GOOD),
        Stretch(2, 1, BAD),
        Stretch(4, 1, BAD),
    ]
    assert list(stretches({}, YEAR)) == []


def test_worst_run_of_a_day_is_shown() -> None:
    days = [(1, GOOD), (1, BAD), (1, "could not judge"), (2, GOOD)]
    assert worst_of_days(days, RUN_ORDER) == {1: BAD, 2: GOOD}


def test_bar_says_its_days_and_words() -> None:
    drawn = strip({DAY + 31: BAD, DAY + 32: BAD}, YEAR, RUNS, marks=(DAY + 31,))
    assert "<title>2026-02-01 – 2026-02-02: Not conforming · 不符合契约</title>" in drawn
    assert 'class="bad" d="M31 0h2v16h-2z"' in drawn
    assert 'class="mark" d="M31 18v4"' in drawn


def test_restless_strip_stays_small() -> None:
    drawn = strip({DAY + n: (GOOD, BAD)[n % 2] for n in range(365)}, YEAR, RUNS)
    assert MAX_TITLES < 365
    assert "<title>" not in drawn
    assert drawn.count("M") == 365 + 1
    assert len(drawn) < 365 * 20


@pytest.mark.parametrize("looks", [RUNS, SUBJECTS], ids=["runs", "subjects"])
def test_colours_differ_in_height_too(looks) -> None:
    heights: dict[int, set[str]] = {}
    for look in looks.values():
        heights.setdefault(look.height, set()).add(look.colour)
    # What was accepted is fine as well; its words say the rest.
    alike = {frozenset({"good", "faint"}), frozenset({"warn", "calm"}), frozenset({"info"})}
    assert all(len(colours) == 1 or colours in alike for colours in heights.values())


@pytest.mark.parametrize("days", [1, 7, 45, 60, 365, 3660])
def test_axis_has_few_labels(days: int) -> None:
    labels = re.findall(r'x="([0-9.]+)%" y="11">([0-9-]+)<', axis(Span(DAY, DAY + days - 1)))
    assert 1 <= len(labels) <= 7
    assert all(float(place) < 95 for place, _ in labels)


@pytest.mark.parametrize("at", ["", "soon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59"])
def test_any_date_has_a_day(at: str) -> None:
    span = span_until([an_entry(started_at=at)], 365)
    assert span.days == 1
    assert axis(span)


def test_pages_of_targets_have_names_of_their_own() -> None:
    names = ["zero", "Zero", "a/b", "a-b", "..", ".", "", "\ud800", "x" * 400, "x" * 401, "zero~"]
    pages = [page_name(name) for name in names]
    assert pages[0] == "zero"
    assert len({page.lower() for page in pages}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._~-]*", page) for page in pages)
