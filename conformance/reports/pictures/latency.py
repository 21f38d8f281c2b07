"""How long answers take: to the first text of a stream, to the end of a stream, of a plain answer.

Every answer is a dot, since a run has too few of them for a curve; the box holds the middle half.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles

from conformance.language import Text, joined, same
from conformance.reports.pictures.drawing import (
    INK,
    OURS,
    THEIRS,
    WIDTH,
    Drawing,
    Picture,
    Scale,
    sentences,
)
from conformance.reports.pictures.reading import Recorded, Told, text_in
from conformance.reports.words import duration

FEWEST = 3
"""Answers of a kind below which there is no distribution to speak of."""

MOST_DOTS = 400
SHORTEST = 0.0005
"""Seconds; clocks and loops are no finer, and a logarithm needs an end."""

WIDE = 20.0
"""From this ratio between the longest time and the shortest, the axis is logarithmic."""

ROW, TOP, LEFT, RIGHT = 46.0, 8.0, 10.0, WIDTH - 12.0


@dataclass(frozen=True, slots=True)
class Kind:
    """The seconds that answers of one kind took, shortest first."""

    name: Text
    times: tuple[float, ...]
    of_reference: bool = False

    @property
    def median(self) -> float:
        """The time that half of the answers stay below."""
        return median(self.times)

    @property
    def middle(self) -> tuple[float, float]:
        """The quartiles: half of the answers lie between them."""
        first, _, third = quantiles(self.times, n=4, method="inclusive")
        return first, third


FIRST = Text("first text", "首段文本")
STREAM = Text("whole stream", "完整流")
PLAIN = Text("plain answer", "非流式回答")


def numbers(record: Recorded) -> tuple[Kind, ...] | None:
    """Gather the times by kind; None where no kind has enough of them."""
    kinds = [*_kinds(record.answers), *_kinds(record.reference.values(), of_reference=True)]
    return tuple(kind for kind in kinds if len(kind.times) >= FEWEST) or None


def _kinds(answers: Iterable[Told], *, of_reference: bool = False) -> list[Kind]:
    first: list[float] = []
    stream: list[float] = []
    plain: list[float] = []
    for answer in answers:
        if not answer.is_stream:
            plain.append(answer.elapsed)
            continue
        first += [chunk.at for chunk in answer.chunks if text_in(chunk.data)][:1]
        # A stream that was left after some events has no end to take the time of.
        if answer.request.read_events is None:
            stream.append(answer.elapsed)
    named = ((FIRST, first), (STREAM, stream), (PLAIN, plain))
    return [
        Kind(name, tuple(sorted(max(time, SHORTEST) for time in times)), of_reference)
        for name, times in named
    ]


def draw(kinds: tuple[Kind, ...]) -> Picture:
    """Draw a strip of dots for each kind, with the box of its middle half."""
    drawing = Drawing()
    shortest = min(kind.times[0] for kind in kinds)
    longest = max(kind.times[-1] for kind in kinds)
    log = longest / shortest >= WIDE
    start = max(shortest / 1.3, SHORTEST / 2) if log else 0.0
    scale = Scale(start, longest * (1.3 if log else 1.05), LEFT, RIGHT, log=log)
    bottom = TOP + len(kinds) * ROW
    for tick in scale.ticks():
        x = scale(tick)
        # Interrupted where words are, which no line should cross.
        for number in range(len(kinds)):
            drawing.line((x, TOP + number * ROW + 16, x, TOP + number * ROW + 42))
        anchor = "start" if x < LEFT + 14 else "end" if x > RIGHT - 14 else "middle"
        drawing.label((x, bottom + 13), duration(tick) if tick else same("0"), anchor=anchor)
    for number, kind in enumerate(kinds):
        _strip(drawing, TOP + number * ROW, kind, scale)
    title = Text("How long answers take", "回答耗时")
    return drawing.picture(
        "latency", bottom + 22, title=title, says=_says(kinds), details=_details(kinds)
    )


def _strip(drawing: Drawing, y: float, kind: Kind, scale: Scale) -> None:
    drawing.label((LEFT, y + 10), _named(kind), colour=INK)
    told = COUNTED.format(median=duration(kind.median), n=len(kind.times))
    drawing.label((RIGHT, y + 10), told, anchor="end")
    middle = y + 29
    low, high = (scale(time) for time in kind.middle)
    colour = OURS if kind.of_reference else THEIRS
    drawing.box((low, middle - 9, max(high - low, 1), 18), colour, opacity=0.2)
    step = -(-len(kind.times) // MOST_DOTS)
    # Dots at one place would hide each other; five levels by turns keep them apart.
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
    told = [SAYS.format(kind=_named(kind), median=duration(kind.median)) for kind in kinds]
    return sentences([MEDIANS.format(medians=joined(told, Text(", ", "，"))), MIXED])


REFERENCE = Text("reference: {kind}", "参考服务器：{kind}")
COUNTED = Text("median {median}, n = {n}", "中位数 {median}，n = {n}")
SAYS = Text("{kind} {median}", "{kind} {median}")
DETAIL = Text(
    "{kind}: {n} answers between {least} and {most}, half of them between {low} and {high}.",
    "{kind}：{n} 个回答介于 {least}与 {most}之间，其中一半介于 {low}与 {high}之间。",
)
MEDIANS = Text("Medians: {medians}.", "中位数：{medians}。")
MIXED = Text(
    "Requests differ in length, and several are in flight at a time.",
    "各请求长短不一，且同时有多个请求在途。",
)
