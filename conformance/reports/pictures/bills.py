"""Billed prompt tokens against a prompt's length: a hidden prompt is an offset, padding a slope.

The length is best told in the endpoint's own tokens: a prompt of token ids has as many as ids, an
echoed prompt as many as entries of ``logprobs``. An honest bill lies on the diagonal then, whatever
the text. Where nothing can be counted the length is in characters, of which one script has several
to a token and another one several tokens to each; their lines are apart. There a text and the same
text twice tell the offset: what both have beside the text is billed once in either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.language import Text, same
from conformance.reports.pictures.drawing import (
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
from conformance.reports.pictures.fitting import Line, fitted, is_straight
from conformance.reports.pictures.reading import Recorded, Told, choices, count
from conformance.reports.words import TOKEN, counted

FEWEST = 3
"""Lengths below which there is nothing to see."""

MOST = 200
"""Points of one series."""

USUAL = 2
"""Tokens that mark a prompt's beginning and that nobody minds on a bill."""

FLAT = 0.05
"""A slope below which a bill does not follow its prompt."""

TOP, HEIGHT, LEFT, RIGHT = 24.0, 190.0, 44.0, WIDTH - 14.0


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one script: the length of a prompt, and the tokens that were billed for it."""

    script: Text | None
    points: tuple[tuple[int, int], ...]

    @property
    def line(self) -> Line | None:
        """The line that the points lie on, if they lie on one."""
        line = fitted(self.points)
        return line if line is not None and is_straight(line, self.points) else None


@dataclass(frozen=True, slots=True)
class Bills:
    """The bills of a run.

    ``in_tokens`` says that lengths are counted tokens and not characters; ``doubled`` are the
    points of a text and of the same text twice.
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


def numbers(record: Recorded) -> Bills | None:
    """Gather bills by length, in tokens where enough can be counted; None where there are few."""
    billed = list(_billed(record.answers))
    lengths = _counted_texts(record.answers)
    points = {
        (length, bill)
        for answer, bill in billed
        if (length := _length(answer, lengths)) is not None
    }
    if _differ(points):
        return Bills((Series(None, _kept(points)),), in_tokens=True)
    texts = {(prompt, bill) for answer, bill in billed if (prompt := answer.prompt)}
    series = [
        Series(script, _kept((len(text), bill) for text, bill in texts if _script(text) == script))
        for script in (ASCII, CJK)
    ]
    shown = tuple(one for one in series if one.points)
    found = Bills(shown, in_tokens=False, doubled=_doubled(dict(sorted(texts))))
    return found if _differ(found.all_points) else None


def _doubled(bills: Mapping[str, int]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Find the longest text that was also sent twice in one prompt, as it is or with a blank."""
    for text in sorted(bills, key=len, reverse=True):
        for twice in (f"{text}{between}{text}" for between in ("", " ", "\n")):
            if twice in bills:
                return (len(text), bills[text]), (len(twice), bills[twice])
    return None


def _billed(answers: Iterable[Told]) -> Iterator[tuple[Told, int]]:
    """Find the bills for one prompt and one choice, since some bill a prompt for each choice."""
    for answer in answers:
        usage = answer.document.get("usage")
        bill = count(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
        # A check may ask for anything here, so that nothing may be taken for hashable.
        alone = all(answer.asked.get(name) in (None, 1) for name in ("n", "best_of"))
        if bill is not None and alone:
            yield answer, bill


def _counted_texts(answers: Iterable[Told]) -> Mapping[str, int]:
    """Count the tokens of the prompts that were echoed with their scores."""
    lengths: dict[str, int] = {}
    for answer in answers:
        if answer.prompt and answer.asked.get("echo") is True:
            for choice in choices(answer.document)[:1]:
                logprobs = choice.get("logprobs")
                offsets = logprobs.get("text_offset") if isinstance(logprobs, dict) else None
                text = choice.get("text")
                if isinstance(offsets, list) and isinstance(text, str):
                    inside = _inside(offsets, len(answer.prompt))
                    if inside and text.startswith(answer.prompt):
                        lengths[answer.prompt] = inside
    return lengths


def _inside(offsets: list[object], end: int) -> int:
    """Count the entries that begin before ``end``; 0 where one is no offset."""
    read = [count(offset) for offset in offsets]
    return 0 if None in read else sum(offset < end for offset in read if offset is not None)


def _length(answer: Told, lengths: Mapping[str, int]) -> int | None:
    """Say how many tokens a prompt has, if that can be counted."""
    prompt = answer.asked.get("prompt")
    if isinstance(prompt, list) and prompt and not answer.asked.get("suffix"):
        return len(prompt) if all(count(token) is not None for token in prompt) else None
    return lengths.get(answer.prompt) if answer.prompt else None


def _script(text: str) -> Text | None:
    """Tell ASCII from Chinese; a text that is neither has a slope of its own."""
    if text.isascii():
        return ASCII
    ideographs = sum("\u3000" <= character <= "\u9fff" for character in text)
    return CJK if ideographs >= 0.7 * len(text) else None


def _kept(points: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(set(points))[:MOST])


def _differ(points: Iterable[tuple[int, int]]) -> bool:
    return len({length for length, _ in points}) >= FEWEST


def draw(bills: Bills) -> Picture:
    """Draw the points, and the lines that they lie on."""
    drawing = Drawing()
    points = bills.all_points
    most = max(1, *(bill for _, bill in points))
    across = Scale(0, max(1, *(length for length, _ in points)) * 1.05, LEFT, RIGHT)
    up = Scale(0, max(most, across.last if bills.in_tokens else 0) * 1.08, TOP + HEIGHT, TOP)
    _axes(drawing, across, up)
    if bills.in_tokens:
        _segment(drawing, Line(0, 1, 0), across, up, MUTED, dashed=True)
    if bills.doubled is not None:
        _segment(drawing, _through(*bills.doubled), across, up, MUTED, dashed=True)
    for series, colour in zip(bills.series, (THEIRS, ACCENT), strict=False):
        shade = ALARM if bills.in_tokens and _deviates(series) else colour
        if series.line is not None:
            _segment(drawing, series.line, across, up, shade)
        places = [(across(length), up(bill)) for length, bill in series.points]
        if series.script is CJK:
            drawing.rings(places, shade)
        else:
            drawing.dots(places, shade, size=7, opacity=0.7)
    drawing.label((LEFT, 12), Text("billed prompt tokens", "计费的提示词元"))
    drawing.label((RIGHT, 12), _legend(bills), anchor="end")
    unit = Text("tokens sent", "发送的词元数") if bills.in_tokens else CHARACTERS
    drawing.label((RIGHT, TOP + HEIGHT + 28), unit, anchor="end")
    if bills.doubled is not None:
        below = (LEFT, TOP + HEIGHT + 28)
        drawing.label(below, Text("dashed: one text twice", "虚线：同一文本两遍"))
    title = Text("What a prompt is billed", "提示如何计费")
    return drawing.picture("bills", TOP + HEIGHT + 36, title=title, says=_says(bills))


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
    """Draw a line where it is inside the picture."""
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
    """Tokens on every bill that no prompt has."""
    whole = round(line.offset)
    return whole if abs(whole) > USUAL else 0


def _slope(line: Line) -> int:
    """Percent that a bill grows faster than its prompt."""
    percent = round((line.slope - 1) * 100)
    return percent if abs(percent) > 3 else 0


def _legend(bills: Bills) -> Text:
    if bills.in_tokens:
        return Text("dashed: equal", "虚线：相等")
    scripts = {series.script for series in bills.series}
    return Text("● ASCII  ○ Chinese", "● ASCII  ○ 中文") if len(scripts) > 1 else same("")


def _says(bills: Bills) -> Text:
    if not bills.in_tokens:
        return sentences([*_twice(bills), _shortest(bills), *_slopes(bills), BY_CHARACTERS])
    (series,) = bills.series
    line, n = series.line, len(series.points)
    if all(abs(bill - length) <= USUAL for length, bill in series.points):
        return HONEST.format(n=n)
    if line is None:
        return (TOO_FEW if fitted(series.points) is None else UNSTEADY).format(n=n)
    if abs(line.slope) < FLAT:
        return ALIKE.format(bill=f"{line.offset:,.0f}")
    offset, slope = _offset(line), _slope(line)
    told = []
    if offset:
        told.append((HIDDEN if offset > 0 else LACKING).format(n=f"{abs(offset):,}"))
    if slope:
        told.append((PADDED if slope > 0 else SLOWER).format(percent=abs(slope)))
    return sentences(told or [HONEST.format(n=n)])


def _shortest(bills: Bills) -> Text:
    length, bill = min(bills.all_points)
    return SHORTEST.format(
        length=Text("one character", "1 个字符") if length == 1 else MANY.format(n=length),
        bill=counted(bill, TOKEN),
    )


def _twice(bills: Bills) -> Iterator[Text]:
    if bills.doubled is not None:
        (_, once), (_, twice) = bills.doubled
        beside = 2 * once - twice
        words = TWICE if beside > USUAL else DOUBLE
        yield words.format(once=counted(once, TOKEN), twice=f"{twice:,}", beside=f"{beside:,}")


def _slopes(bills: Bills) -> Iterator[Text]:
    for series in bills.series:
        line = series.line
        if line is not None and series.script is not None:
            yield SLOPE.format(
                script=series.script, slope=f"{line.slope:.2f}", offset=f"{line.offset:.0f}"
            )


CHARACTERS = Text("characters sent", "发送的字符数")
HIDDEN = Text(
    "Every prompt is billed {n} tokens that it does not have: an offset, as of a hidden prompt.",
    "每个提示都多计 {n} 个并不存在的词元：这是截距，如同隐藏的提示。",
)
PADDED = Text(
    "Bills grow {percent} % faster than prompts: a slope, as of padding.",
    "账单的增长比提示快 {percent}%：这是斜率，如同虚增。",
)
ALIKE = Text(
    "Every prompt is billed about {bill} tokens, whatever its length.",
    "无论长短，每个提示都约计 {bill} 个词元。",
)
LACKING = Text(
    "Every bill lacks {n} tokens that the prompt has.", "每份账单都少计提示中的 {n} 个词元。"
)
SLOWER = Text("Bills grow {percent} % slower than prompts.", "账单的增长比提示慢 {percent}%。")
HONEST = Text(
    "The bill grows with the prompt, token by token ({n} lengths): no offset and no slope.",
    "账单随提示逐词元增长（{n} 种长度）：既无截距，也无斜率偏差。",
)
TOO_FEW = Text(
    "{n} prompts of known length are too few for a line, and not all are billed by it.",
    "{n} 个长度已知的提示不足以画出直线，且并非都按其长度计费。",
)
UNSTEADY = Text(
    "The bills for {n} prompts of known length lie on no line.",
    "{n} 个长度已知的提示，其账单不在一条直线上。",
)
TWICE = Text(
    "A text is billed {once} and the same text twice {twice}: {beside} of them are of no text, "
    "like a hidden prompt.",
    "一段文本计费 {once}，同一文本两遍计费 {twice}：{beside} 个不属于任何文本，如同隐藏的提示。",
)
DOUBLE = Text(
    "A text is billed {once} and the same text twice {twice}: no offset.",
    "一段文本计费 {once}，同一文本两遍计费 {twice}：没有截距。",
)
MANY = Text("{n} characters", "{n} 个字符")
SHORTEST = Text(
    "The shortest prompt, {length}, is billed {bill}.", "最短的提示（{length}）计费 {bill}。"
)
SLOPE = Text(
    "{script}: {slope} tokens a character, and {offset} besides.",
    "{script}：每字符 {slope} 个词元，另加 {offset} 个。",
)
BY_CHARACTERS = Text(
    "Texts differ in how many characters a token has, so points of different texts lie on no line.",
    "不同文本每个词元的字符数不同，故各点未必在一条直线上。",
)
