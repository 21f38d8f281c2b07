"""Charts of a series: times, cost and availability of its runs over the days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from conformance.history.entry import Entry
from conformance.history.figures import Figures, Times
from conformance.history.site.days import DAY_SECONDS, day_of, iso, moment_of
from conformance.history.site.series import SeriesView
from conformance.language import Text, join_texts, same
from conformance.model import Money
from conformance.report.charts.svg import (
    ACCENT,
    INK,
    MUTED,
    THEIRS,
    WIDTH,
    Drawing,
    Picture,
    Scale,
    sentences,
)
from conformance.report.locale.terms import REQUEST, TOKEN, counted, duration, money

MIN_RUNS = 2
"""Runs with a figure from which on it has a course."""

TOP, PLOT, LEFT, RIGHT = 26.0, 96.0, 50.0, WIDTH - 4.0
BOTTOM = TOP + PLOT

Point = tuple[float, float]
"""A time in days since the span began, and a value."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, its points, and how it is drawn."""

    name: Text
    points: tuple[Point, ...]
    colour: str
    width: float = 1.5


def pictures(view: SeriesView) -> tuple[Picture, ...]:
    """Draw the charts that a series has data for."""
    measured = [(entry, entry.figures) for entry in view.entries if entry.figures is not None]
    return tuple(_pictures(view, measured))


def _pictures(view: SeriesView, measured: Sequence[tuple[Entry, Figures]]) -> Iterator[Picture]:
    first = [(entry, one.first) for entry, one in measured if one.first]
    if len(first) >= MIN_RUNS:
        yield _times(view, "first", FIRST, first)
    plain = [(entry, one.plain) for entry, one in measured if one.plain]
    if len(plain) >= MIN_RUNS:
        yield _times(view, "plain", PLAIN, plain)
    if len(view.entries) >= MIN_RUNS:
        yield _cost(view)
    tried = [(entry, one) for entry, one in measured if one.attempts]
    if len(tried) >= MIN_RUNS:
        yield _availability(view, tried)


def _at(view: SeriesView, entry: Entry) -> float:
    """Return when a run began, in days since the span did."""
    at = moment_of(entry.started_at)
    seconds = at.hour * 3600 + at.minute * 60 + at.second if at else 0
    return day_of(entry) - view.span.first + seconds / DAY_SECONDS


def _times(
    view: SeriesView, name: str, title: Text, times: Sequence[tuple[Entry, Times]]
) -> Picture:
    medians = tuple((_at(view, entry), one.p50) for entry, one in times)
    tails = tuple((_at(view, entry), one.p90) for entry, one in times if one.p90 is not None)
    slowest, worst = max(times, key=lambda one: one[1].p50)
    lines = [Line(MEDIAN, medians, THEIRS), Line(TAIL, tails, MUTED, width=0.7)]
    says = TIMES_SAY.format(
        first=duration(times[0][1].p50),
        last=duration(times[-1][1].p50),
        most=duration(worst.p50),
        day=iso(day_of(slowest)),
    )
    return _drawn(view, name, title, lines, says, unit=duration)


def _cost(view: SeriesView) -> Picture:
    entries = view.entries
    line = Line(TOKENS, tuple((_at(view, one), float(one.tokens)) for one in entries), ACCENT)
    parts = [
        counted(sum(entry.requests for entry in entries), REQUEST),
        counted(sum(entry.tokens for entry in entries), TOKEN),
        *map(money, spent(entries).values()),
    ]
    says = COST_SAYS.format(runs=len(entries), parts=join_texts(parts, Text(", ", "，")))
    return _drawn(view, "cost", COST, [line], says, unit=lambda count: same(f"{count:,.0f}"))


def spent(entries: Sequence[Entry]) -> Mapping[str, Money]:
    """Return what runs cost together, by currency; runs without prices are left out."""
    found: dict[str, Money] = {}
    for entry in entries:
        one = entry.figures.money if entry.figures else None
        if one is not None:
            old = found.get(one.currency, Money(Decimal(0), one.currency))
            found[one.currency] = Money(
                old.amount + one.amount, one.currency, old.is_bound or one.is_bound
            )
    return found


def _availability(view: SeriesView, tried: Sequence[tuple[Entry, Figures]]) -> Picture:
    points = tuple(
        (_at(view, entry), 100 * (1 - one.unanswered / one.attempts)) for entry, one in tried
    )
    attempts = sum(one.attempts for _, one in tried)
    lost = sum(one.unanswered for _, one in tried)
    says = AVAILABILITY_SAYS.format(
        lost=f"{lost:,}", attempts=f"{attempts:,}", share=f"{100 * lost / attempts:.2f}"
    )
    lowest = min(value for _, value in points)
    return _drawn(
        view,
        "availability",
        AVAILABILITY,
        [Line(ANSWERED, points, THEIRS)],
        says,
        unit=lambda share: same(f"{share:.3g} %"),
        # A drop of a tenth of a per cent would otherwise fill the chart.
        limits=(min(90.0, lowest), 100.0),
    )


def _drawn(
    view: SeriesView,
    name: str,
    title: Text,
    lines: Sequence[Line],
    says: Text,
    *,
    unit: Callable[[float], Text],
    limits: tuple[float, float] | None = None,
) -> Picture:
    drawing = Drawing()
    highest = max(value for line in lines for _, value in line.points)
    low, high = limits or (0.0, highest * 1.05 or 1.0)
    across = Scale(0.0, float(view.span.days), LEFT, RIGHT)
    up = Scale(low, high, BOTTOM, TOP)
    for tick in up.ticks(3):
        drawing.line((LEFT, up(tick), RIGHT, up(tick)))
        drawing.label((LEFT - 5, up(tick) + 4), unit(tick) if tick else same("0"), anchor="end")
    for line in lines:
        places = [(across(at), up(value)) for at, value in line.points]
        drawing.polyline(places, line.colour, width=line.width)
        if len(places) <= MAX_DOTTED:
            drawing.dots(places, line.colour, size=3.5)
    x = LEFT
    for line in lines:
        if len(lines) > 1 and line.points:
            drawing.line((x, 7, x + 18, 7), line.colour, width=line.width)
            drawing.label((x + 23, 11), line.name, colour=INK)
            x += 120
    drawing.label((LEFT, BOTTOM + 14), same(iso(view.span.first)))
    if view.span.days > 1:
        drawing.label((RIGHT, BOTTOM + 14), same(iso(view.span.last)), anchor="end")
    return drawing.picture(
        f"{name}-{view.number}", BOTTOM + 20, title=title, says=sentences([says])
    )


MAX_DOTTED = 60
"""Points up to which each has a dot of its own."""

FIRST = Text("Time to the first text", "首段文本用时")
PLAIN = Text("Latency of non-streaming responses", "非流式响应延迟")
COST = Text("Cost of a run", "每次运行的花费")
AVAILABILITY = Text("Availability", "可用性")
MEDIAN = Text("median", "中位数")
TAIL = Text("90th percentile", "第 90 百分位")
TOKENS = Text("tokens", "token")
ANSWERED = Text("answered", "得到响应")
TIMES_SAY = Text(
    "Median {first} in the first run, {last} in the last one; the highest, {most}, on {day}.",
    "中位数：首次运行 {first}，最近一次 {last}；最高 {most}，{day}。",
)
COST_SAYS = Text(
    "Tokens of each run. All {runs} runs together: {parts}.",
    "每次运行的 token 数。全部 {runs} 次运行合计：{parts}。",
)
AVAILABILITY_SAYS = Text(
    "{lost} of {attempts} attempts ({share} %) got no whole response, or one that asks to come "
    "back later, such as 429 or 503.",
    "{attempts} 次请求尝试中有 {lost} 次（{share} %）没有得到完整响应，"
    "或得到 429、503 等要求稍后重试的响应。",
)
