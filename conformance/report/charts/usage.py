"""Chart of reported prompt tokens by prompt length.

A hidden prompt shows as a constant offset, inflated counts as a slope above 1. The length is in
tokens where these can be counted: a prompt of token ids has as many tokens as ids, an echoed prompt
as many as ``logprobs`` entries. Correct usage then lies on the diagonal. Otherwise the length is in
characters, with a line per script, because scripts differ in characters per token; a text and the
same text twice then show the offset, which both requests contain once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.language import Text, same
from conformance.report.charts.regression import Line, fitted, is_straight
from conformance.report.charts.svg import (
    ACCENT,
    ALARM,
    MUTED,
    THEIRS,
    WIDTH,
    Drawing,
    Picture,
    Scale,
    sentences,
)
from conformance.report.charts.traffic import ReadExchange, Recorded, choices, count
from conformance.report.locale.terms import TOKEN, counted

MIN_LENGTHS = 3
"""Minimum number of different lengths."""

MAX_POINTS = 200
"""Maximum number of points in a series."""

USUAL = 2
"""Accepted offset in tokens, for tokens that mark the beginning of a prompt."""

FLAT = 0.05
"""Slope below which usage does not depend on the prompt."""

TOP, HEIGHT, LEFT, RIGHT = 24.0, 190.0, 44.0, WIDTH - 14.0


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one script: prompt length and reported prompt tokens."""

    script: Text | None
    points: tuple[tuple[int, int], ...]

    @property
    def line(self) -> Line | None:
        """The fitted line, or None if the points do not fit one."""
        line = fitted(self.points)
        return line if line is not None and is_straight(line, self.points) else None


@dataclass(frozen=True, slots=True)
class UsageChart:
    """The reported prompt tokens of a run.

    ``in_tokens``: lengths are in tokens, otherwise in characters. ``doubled``: the points of a text
    and of the same text twice.
    """

    series: tuple[Series, ...]
    in_tokens: bool
    doubled: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def all_points(self) -> tuple[tuple[int, int], ...]:
        """The points of all series."""
        return tuple(point for series in self.series for point in series.points)


ASCII = Text("ASCII text", "ASCII 文本")
CJK = Text("Chinese text", "中文文本")


def numbers(record: Recorded) -> UsageChart | None:
    """Collect reported tokens by length, in tokens if possible; None if too few."""
    counted = list(_usage_of(record.responses))
    lengths = _counted_texts(record.responses)
    points = {
        (length, usage)
        for response, usage in counted
        if (length := _length(response, lengths)) is not None
    }
    if _differ(points):
        return UsageChart((Series(None, _kept(points)),), in_tokens=True)
    texts = {(prompt, usage) for response, usage in counted if (prompt := response.prompt)}
    series = [
        Series(
            script, _kept((len(text), usage) for text, usage in texts if _script(text) == script)
        )
        for script in (ASCII, CJK)
    ]
    shown = tuple(one for one in series if one.points)
    found = UsageChart(shown, in_tokens=False, doubled=_doubled(dict(sorted(texts))))
    return found if _differ(found.all_points) else None


def _doubled(usages: Mapping[str, int]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Find the longest text that was also sent doubled, with or without a separator."""
    for text in sorted(usages, key=len, reverse=True):
        for twice in (f"{text}{between}{text}" for between in ("", " ", "\n")):
            if twice in usages:
                return (len(text), usages[text]), (len(twice), usages[twice])
    return None


def _usage_of(responses: Iterable[ReadExchange]) -> Iterator[tuple[ReadExchange, int]]:
    """Yield usage of requests with one prompt and one choice; some servers count per choice."""
    for exchange in responses:
        usage = exchange.document.get("usage")
        stated_usage = count(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
        # Checks send any JSON value here, including unhashable ones.
        alone = all(exchange.request_body.get(name) in (None, 1) for name in ("n", "best_of"))
        if stated_usage is not None and alone:
            yield exchange, stated_usage


def _counted_texts(responses: Iterable[ReadExchange]) -> Mapping[str, int]:
    """Count the tokens of prompts that were echoed with logprobs."""
    lengths: dict[str, int] = {}
    for exchange in responses:
        if exchange.prompt and exchange.request_body.get("echo") is True:
            for choice in choices(exchange.document)[:1]:
                logprobs = choice.get("logprobs")
                offsets = logprobs.get("text_offset") if isinstance(logprobs, dict) else None
                text = choice.get("text")
                if isinstance(offsets, list) and isinstance(text, str):
                    inside = _inside(offsets, len(exchange.prompt))
                    if inside and text.startswith(exchange.prompt):
                        lengths[exchange.prompt] = inside
    return lengths


def _inside(offsets: list[object], end: int) -> int:
    """Count the offsets below ``end``; 0 if one is not an offset."""
    read = [count(offset) for offset in offsets]
    return 0 if None in read else sum(offset < end for offset in read if offset is not None)


def _length(exchange: ReadExchange, lengths: Mapping[str, int]) -> int | None:
    """Return the number of tokens of a prompt, or None if it cannot be counted."""
    prompt = exchange.request_body.get("prompt")
    if isinstance(prompt, list) and prompt and not exchange.request_body.get("suffix"):
        return len(prompt) if all(count(token) is not None for token in prompt) else None
    return lengths.get(exchange.prompt) if exchange.prompt else None


def _script(text: str) -> Text | None:
    """Classify a text as ASCII or Chinese; None for others."""
    if text.isascii():
        return ASCII
    ideographs = sum("\u3000" <= character <= "\u9fff" for character in text)
    return CJK if ideographs >= 0.7 * len(text) else None


def _kept(points: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(set(points))[:MAX_POINTS])


def _differ(points: Iterable[tuple[int, int]]) -> bool:
    return len({length for length, _ in points}) >= MIN_LENGTHS


def draw(usages: UsageChart) -> Picture:
    """Draw the points and fitted lines."""
    drawing = Drawing()
    points = usages.all_points
    most = max(1, *(usage for _, usage in points))
    across = Scale(0, max(1, *(length for length, _ in points)) * 1.05, LEFT, RIGHT)
    up = Scale(0, max(most, across.last if usages.in_tokens else 0) * 1.08, TOP + HEIGHT, TOP)
    _axes(drawing, across, up)
    if usages.in_tokens:
        _segment(drawing, Line(0, 1, 0), across, up, MUTED, dashed=True)
    if usages.doubled is not None:
        _segment(drawing, _through(*usages.doubled), across, up, MUTED, dashed=True)
    for series, colour in zip(usages.series, (THEIRS, ACCENT), strict=False):
        shade = ALARM if usages.in_tokens and _deviates(series) else colour
        if series.line is not None:
            _segment(drawing, series.line, across, up, shade)
        places = [(across(length), up(usage)) for length, usage in series.points]
        if series.script is CJK:
            drawing.rings(places, shade)
        else:
            drawing.dots(places, shade, size=7, opacity=0.7)
    drawing.label((LEFT, 12), Text("reported prompt tokens", "上报的输入 token 数"))
    drawing.label((RIGHT, 12), _legend(usages), anchor="end")
    unit = Text("tokens sent", "发送的 token 数") if usages.in_tokens else CHARACTERS
    drawing.label((RIGHT, TOP + HEIGHT + 28), unit, anchor="end")
    if usages.doubled is not None:
        below = (LEFT, TOP + HEIGHT + 28)
        drawing.label(below, Text("dashed: the same text twice", "虚线：同一文本重复两遍"))
    title = Text("Reported prompt tokens", "输入 token 的计量")
    return drawing.picture("bills", TOP + HEIGHT + 36, title=title, says=_says(usages))


def _axes(drawing: Drawing, across: Scale, up: Scale) -> None:
    for tick in up.ticks():
        drawing.line((LEFT, up(tick), RIGHT, up(tick)))
        drawing.label((LEFT - 6, up(tick) + 4), same(f"{tick:,.0f}"), anchor="end")
    for tick in across.ticks():
        x = across(tick)
        drawing.line((x, TOP + HEIGHT, x, TOP + HEIGHT + 4))
        drawing.label((x, TOP + HEIGHT + 15), same(f"{tick:,.0f}"), anchor="middle")


def _segment(
    drawing: Drawing, line: Line, across: Scale, up: Scale, colour: str, *, dashed: bool = False
) -> None:
    """Draw the part of a line that is inside the chart."""
    low, high = 0.0, across.last
    if line.slope > 0:
        low = max(low, (up.first - line.offset) / line.slope)
        high = min(high, (up.last - line.offset) / line.slope)
    if low < high:
        ends = (across(low), up(line.at(low)), across(high), up(line.at(high)))
        drawing.line(ends, colour, width=1.5, dashed=dashed)


def _through(one: tuple[int, int], two: tuple[int, int]) -> Line:
    slope = (two[1] - one[1]) / (two[0] - one[0])
    return Line(one[1] - slope * one[0], slope, 0)


def _deviates(series: Series) -> bool:
    line = series.line
    return line is not None and (_offset(line) != 0 or _slope(line) != 0)


def _offset(line: Line) -> int:
    """The constant offset in tokens, 0 if acceptable."""
    whole = round(line.offset)
    return whole if abs(whole) > USUAL else 0


def _slope(line: Line) -> int:
    """Growth relative to the prompt in percent, 0 if acceptable."""
    percent = round((line.slope - 1) * 100)
    return percent if abs(percent) > 3 else 0


def _legend(usages: UsageChart) -> Text:
    if usages.in_tokens:
        return Text("dashed: equal", "虚线：相等")
    scripts = {series.script for series in usages.series}
    return Text("● ASCII  ○ Chinese", "● ASCII  ○ 中文") if len(scripts) > 1 else same("")


def _says(usages: UsageChart) -> Text:
    if not usages.in_tokens:
        return sentences([*_twice(usages), _shortest(usages), *_slopes(usages), BY_CHARACTERS])
    (series,) = usages.series
    line, n = series.line, len(series.points)
    if all(abs(usage - length) <= USUAL for length, usage in series.points):
        return CONFORMING.format(n=n)
    if line is None:
        return (TOO_FEW if fitted(series.points) is None else UNSTEADY).format(n=n)
    if abs(line.slope) < FLAT:
        return ALIKE.format(usage=f"{line.offset:,.0f}")
    offset, slope = _offset(line), _slope(line)
    result = []
    if offset:
        result.append((HIDDEN if offset > 0 else LACKING).format(n=f"{abs(offset):,}"))
    if slope:
        result.append((PADDED if slope > 0 else SLOWER).format(percent=abs(slope)))
    return sentences(result or [CONFORMING.format(n=n)])


def _shortest(usages: UsageChart) -> Text:
    length, usage = min(usages.all_points)
    return SHORTEST.format(
        length=Text("one character", "1 个字符") if length == 1 else MANY.format(n=length),
        usage=counted(usage, TOKEN),
    )


def _twice(usages: UsageChart) -> Iterator[Text]:
    if usages.doubled is not None:
        (_, once), (_, twice) = usages.doubled
        beside = 2 * once - twice
        words = TWICE if beside > USUAL else DOUBLE
        yield words.format(once=counted(once, TOKEN), twice=f"{twice:,}", beside=f"{beside:,}")


def _slopes(usages: UsageChart) -> Iterator[Text]:
    for series in usages.series:
        line = series.line
        if line is not None and series.script is not None:
            yield SLOPE.format(
                script=series.script, slope=f"{line.slope:.2f}", offset=f"{line.offset:.0f}"
            )


CHARACTERS = Text("characters sent", "发送的字符数")
HIDDEN = Text(
    "Usage reports {n} more tokens than sent for every prompt: a constant offset, as from a hidden "
    "prompt.",
    "每个 prompt 都多计 {n} 个 token：为固定偏移，类似存在隐藏 prompt 的情况。",
)
PADDED = Text(
    "Reported tokens grow {percent} % faster than the prompt, as with inflated counts.",
    "上报的 token 数比 prompt 增长快 {percent}%，类似计数被放大的情况。",
)
ALIKE = Text(
    "Every prompt is reported as about {usage} tokens, regardless of its length.",
    "无论长短，每个 prompt 都约计 {usage} 个 token。",
)
LACKING = Text(
    "Usage reports {n} fewer tokens than sent for every prompt.",
    "每个 prompt 都少计 {n} 个 token。",
)
SLOWER = Text(
    "Reported tokens grow {percent} % slower than the prompt.",
    "上报的 token 数比 prompt 增长慢 {percent}%。",
)
CONFORMING = Text(
    "Reported tokens match the prompt length ({n} lengths): no offset, no extra growth.",
    "上报的 token 数与 prompt 长度一致（{n} 种长度）：没有固定偏移，也没有比例偏差。",
)
TOO_FEW = Text(
    "{n} prompts of known length are too few to fit a line; some reported counts differ.",
    "{n} 个长度已知的 prompt 不足以拟合直线，其中有计数不一致的。",
)
UNSTEADY = Text(
    "The reported tokens of {n} prompts of known length do not fit a line.",
    "{n} 个长度已知的 prompt，其上报的 token 数无法拟合为直线。",
)
TWICE = Text(
    "A text is reported as {once}, the same text twice as {twice}: an offset of {beside}, as "
    "from a hidden prompt.",
    "一段文本计 {once}，同一文本重复两遍计 {twice}：固定偏移为 {beside}，"
    "类似存在隐藏 prompt 的情况。",
)
DOUBLE = Text(
    "A text is reported as {once}, the same text twice as {twice}: no offset.",
    "一段文本计 {once}，同一文本重复两遍计 {twice}：没有固定偏移。",
)
MANY = Text("{n} characters", "{n} 个字符")
SHORTEST = Text(
    "The shortest prompt, {length}, is reported as {usage}.",
    "最短的 prompt（{length}）计 {usage}。",
)
SLOPE = Text(
    "{script}: {slope} tokens per character plus {offset}.",
    "{script}：每字符 {slope} 个 token，另加 {offset} 个。",
)
BY_CHARACTERS = Text(
    "Characters per token differ between texts, so their points need not fit a line.",
    "不同文本每个 token 的字符数不同，各点未必在一条直线上。",
)
