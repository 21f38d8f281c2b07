"""Chart of latencies: first text of a stream, whole stream, non-streaming response.

Each response is a dot; the box spans the quartiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles

from conformance.language import Text, join_texts, same
from conformance.report.charts.svg import (
    INK,
    OURS,
    THEIRS,
    WIDTH,
    Drawing,
    Picture,
    Scale,
    sentences,
)
from conformance.report.charts.traffic import ReadExchange, Recorded, text_in
from conformance.report.locale.terms import duration

MIN_RESPONSES = 3
"""Minimum number of responses of a kind."""

MAX_DOTS = 400
SHORTEST = 0.0005
"""Lower bound in seconds for the logarithmic axis, near the clock's resolution."""

WIDE = 20.0
"""Ratio of longest to shortest time from which the axis is logarithmic."""

ROW, TOP, LEFT, RIGHT = 46.0, 8.0, 10.0, WIDTH - 12.0


@dataclass(frozen=True, slots=True)
class Kind:
    """Latencies of one kind in seconds, ascending."""

    name: Text
    times: tuple[float, ...]
    of_reference: bool = False

    @property
    def median(self) -> float:
        """The median in seconds."""
        return median(self.times)

    @property
    def middle(self) -> tuple[float, float]:
        """The first and third quartile in seconds."""
        first, _, third = quantiles(self.times, n=4, method="inclusive")
        return first, third


FIRST = Text("first text", "首段文本")
STREAM = Text("whole stream", "完整流")
NON_STREAMING = Text("non-streaming", "非流式响应")


def numbers(record: Recorded) -> tuple[Kind, ...] | None:
    """Collect latencies by kind; None if no kind has enough."""
    kinds = [*_kinds(record.responses), *_kinds(record.reference.values(), of_reference=True)]
    return tuple(kind for kind in kinds if len(kind.times) >= MIN_RESPONSES) or None


def _kinds(responses: Iterable[ReadExchange], *, of_reference: bool = False) -> list[Kind]:
    named = zip((FIRST, STREAM, NON_STREAMING), times_of(responses), strict=True)
    return [
        Kind(name, tuple(sorted(max(time, SHORTEST) for time in times)), of_reference)
        for name, times in named
    ]


def times_of(responses: Iterable[ReadExchange]) -> tuple[list[float], list[float], list[float]]:
    """Return times in seconds: to the first text of streams, of streams, of other responses."""
    first: list[float] = []
    stream: list[float] = []
    plain: list[float] = []
    for response in responses:
        if not response.is_stream:
            plain.append(response.elapsed)
            continue
        first += [chunk.at for chunk in response.chunks if text_in(chunk.data)][:1]
        # A stream that the client closed early has no total time.
        if response.request.read_events is None:
            stream.append(response.elapsed)
    return first, stream, plain


def draw(kinds: tuple[Kind, ...]) -> Picture:
    """Draw a strip of dots per kind, with a box for the quartiles."""
    drawing = Drawing()
    shortest = min(kind.times[0] for kind in kinds)
    longest = max(kind.times[-1] for kind in kinds)
    log = longest / shortest >= WIDE
    start = max(shortest / 1.3, SHORTEST / 2) if log else 0.0
    scale = Scale(start, longest * (1.3 if log else 1.05), LEFT, RIGHT, log=log)
    bottom = TOP + len(kinds) * ROW
    for tick in scale.ticks():
        x = scale(tick)
        # Leave gaps for the labels.
        for number in range(len(kinds)):
            drawing.line((x, TOP + number * ROW + 16, x, TOP + number * ROW + 42))
        anchor = "start" if x < LEFT + 14 else "end" if x > RIGHT - 14 else "middle"
        drawing.label((x, bottom + 13), duration(tick) if tick else same("0"), anchor=anchor)
    for number, kind in enumerate(kinds):
        _strip(drawing, TOP + number * ROW, kind, scale)
    title = Text("Latency", "响应延迟")
    return drawing.picture(
        "latency", bottom + 22, title=title, says=_says(kinds), details=_details(kinds)
    )


def _strip(drawing: Drawing, y: float, kind: Kind, scale: Scale) -> None:
    drawing.label((LEFT, y + 10), _named(kind), colour=INK)
    result = COUNTED.format(median=duration(kind.median), n=len(kind.times))
    drawing.label((RIGHT, y + 10), result, anchor="end")
    middle = y + 29
    low, high = (scale(time) for time in kind.middle)
    colour = OURS if kind.of_reference else THEIRS
    drawing.box((low, middle - 9, max(high - low, 1), 18), colour, opacity=0.2)
    step = -(-len(kind.times) // MAX_DOTS)
    # Spread dots over five levels, so that equal times stay visible.
    dots = ((scale(t), middle + (i * 3 % 5 - 2) * 2.5) for i, t in enumerate(kind.times[::step]))
    drawing.dots(dots, colour, size=4, opacity=0.6)
    drawing.line((scale(kind.median), middle - 11, scale(kind.median), middle + 11), INK, width=2)


def _details(kinds: tuple[Kind, ...]) -> list[Text]:
    return [
        DETAIL.format(
            kind=_named(kind),
            low=duration(kind.middle[0]),
            high=duration(kind.middle[1]),
            least=duration(kind.times[0]),
            most=duration(kind.times[-1]),
            n=len(kind.times),
        )
        for kind in kinds
    ]


def _named(kind: Kind) -> Text:
    return REFERENCE.format(kind=kind.name) if kind.of_reference else kind.name


def _says(kinds: tuple[Kind, ...]) -> Text:
    result = [SAYS.format(kind=_named(kind), median=duration(kind.median)) for kind in kinds]
    return sentences([MEDIANS.format(medians=join_texts(result, Text(", ", "，"))), MIXED])


REFERENCE = Text("reference: {kind}", "参考服务器：{kind}")
COUNTED = Text("median {median}, n = {n}", "中位数 {median}，n = {n}")
SAYS = Text("{kind} {median}", "{kind} {median}")
DETAIL = Text(
    "{kind}: {n} responses between {least} and {most}, half of them between {low} and {high}.",
    "{kind}：{n} 个响应介于 {least}与 {most}之间，其中一半介于 {low}与 {high}之间。",
)
MEDIANS = Text("Medians: {medians}.", "中位数：{medians}。")
MIXED = Text(
    "Requests differ in length, and several run concurrently.",
    "各请求长短不一，且有多个请求并发进行。",
)
