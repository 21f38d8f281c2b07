"""Chart of arrival times of streamed text.

A server that generates the whole text first and then streams it shows a cluster at the end of its
row, regardless of the number of chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from conformance.language import Text, same
from conformance.model import Request, Verdict
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
from conformance.report.charts.traffic import Json, ReadExchange, Recorded, choices
from conformance.report.locale.terms import duration

REQUIREMENT = "streaming.incremental"
DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})
MIN_CHUNKS = 4
"""Minimum number of chunks with text."""

MAX_ROWS = 6
MAX_CHUNKS_DRAWN = 200
"""Maximum dots in a row; longer streams are thinned out, keeping the first and last chunk."""

ROW, TOP, LEFT, RIGHT = 22.0, 26.0, 66.0, WIDTH - 44.0


@dataclass(frozen=True, slots=True)
class Stream:
    """Arrival times in seconds of one stream's text; ``pieces`` is the number of all chunks."""

    times: tuple[float, ...]
    chunks: int

    @property
    def first(self) -> float:
        """Seconds to the first chunk with text."""
        return self.times[0]

    @property
    def span(self) -> float:
        """Seconds from the first to the last chunk with text."""
        return self.times[-1] - self.times[0]


@dataclass(frozen=True, slots=True)
class Row:
    """A stream of the endpoint, and the reference server's stream for the same request."""

    theirs: Stream
    ours: Stream | None


@dataclass(frozen=True, slots=True)
class Streams:
    """The data of the chart; ``at_once``: a check found that the text arrives in one burst."""

    rows: tuple[Row, ...]
    batched: bool


def numbers(record: Recorded) -> Streams | None:
    """Choose the most informative streams; None if no stream has enough chunks."""
    found = [(exchange, stream) for exchange in record.responses if (stream := _stream(exchange))]
    if not found:
        return None
    reference = {
        request: stream
        for request, exchange in record.reference.items()
        if (stream := _stream(exchange)) is not None
    }

    def shows_most(pair: tuple[ReadExchange, Stream]) -> tuple[bool, int]:
        return pair[0].request in reference, pair[1].chunks

    # Several samples of one request are kept, because repetition confirms a burst.
    ranked = sorted(found, key=shows_most, reverse=True)[:MAX_ROWS]
    rows = tuple(Row(stream, reference.get(exchange.request)) for exchange, stream in ranked)
    return Streams(_ours_once(rows, [exchange.request for exchange, _ in ranked]), _at_once(record))


def _ours_once(rows: Sequence[Row], requests: Sequence[Request]) -> tuple[Row, ...]:
    """Keep the reference stream only at the first row of its request."""
    return tuple(
        row if requests.index(request) == place else Row(row.theirs, None)
        for place, (row, request) in enumerate(zip(rows, requests, strict=True))
    )


def _at_once(record: Recorded) -> bool:
    return any(f.requirement == REQUIREMENT and f.verdict in DEVIATING for f in record.findings)


def _stream(exchange: ReadExchange) -> Stream | None:
    """Read arrival times of the first choice; echoed text may arrive at once and is left out."""
    times = [chunk.at for chunk in exchange.chunks if any(map(_goes_on, choices(chunk.data)))]
    if len(times) < MIN_CHUNKS or exchange.request_body.get("echo"):
        return None
    step = -(-len(times) // MAX_CHUNKS_DRAWN)
    kept = (*times[:-1:step], times[-1])
    return Stream(kept, len(times))


@dataclass(frozen=True, slots=True)
class _Line:
    name: Text
    stream: Stream
    colour: str


def _goes_on(choice: Json) -> bool:
    """Return whether a chunk's choice is the first one and has text."""
    text = choice.get("text")
    return choice.get("index") in (0, None) and isinstance(text, str) and text != ""


def draw(streams: Streams) -> Picture:
    """Draw a row per stream on a common axis of seconds since the request."""
    drawing = Drawing()
    lines = list(_lines(streams))
    bottom = TOP + len(lines) * ROW
    longest = max(line.stream.times[-1] for line in lines)
    scale = Scale(0.0, max(longest, 0.001), LEFT, RIGHT)
    for tick in scale.ticks():
        x = scale(tick)
        drawing.line((x, TOP - 4, x, bottom))
        drawing.label((x, bottom + 14), duration(tick) if tick else same("0"), anchor="middle")
    for number, line in enumerate(lines):
        y = TOP + number * ROW + ROW / 2 - 4
        drawing.label((LEFT - 8, y + 4), line.name, anchor="end", colour=INK)
        drawing.line((scale(0.0), y, scale(line.stream.times[-1]), y), width=2)
        dots = ((scale(time), y) for time in line.stream.times)
        drawing.dots(dots, line.colour, size=6, opacity=0.6)
        drawing.label((WIDTH - 4, y + 4), same(f"{line.stream.chunks:,}"), anchor="end")
    drawing.label((LEFT, 12), Text("time since the request", "自请求起的时间"))
    drawing.label((WIDTH - 4, 12), Text("chunks", "数据块数"), anchor="end")
    title = Text("Arrival of streamed text", "流式文本的到达时间")
    return drawing.picture(
        "arrivals",
        bottom + 22,
        title=title,
        says=_says(streams),
        details=[_described(line) for line in lines],
    )


def _lines(streams: Streams) -> Iterator[_Line]:
    for number, row in enumerate(streams.rows, start=1):
        yield _Line(Text(f"stream {number}", f"流 {number}"), row.theirs, THEIRS)
        if row.ours is not None:
            yield _Line(Text("reference", "参考"), row.ours, OURS)


def _described(line: _Line) -> Text:
    stream = line.stream
    first, last = duration(stream.first), duration(stream.times[-1])
    return ROW_TOLD.format(name=line.name, pieces=stream.chunks, first=first, last=last)


def _says(streams: Streams) -> Text:
    theirs = [row.theirs for row in streams.rows]
    ours = [row.ours for row in streams.rows if row.ours is not None]
    result = [_rhythm(theirs, BATCHED if streams.batched else OVER_TIME)]
    if ours:
        result.append(_rhythm(ours, REFERENCE))
    return sentences(result)


def _rhythm(streams: Sequence[Stream], words: Text) -> Text:
    return words.format(
        span=duration(max(0.001, median(stream.span for stream in streams))),
        first=duration(median(stream.first for stream in streams)),
    )


ROW_TOLD = Text(
    "{name}: {pieces} chunks between {first} and {last}.",
    "{name}：{pieces} 个数据块，在 {first}至 {last}之间到达。",
)
BATCHED = Text(
    "All text of a stream arrives within {span}, after {first} without output: it is generated "
    "first and sent afterwards.",
    "在 {first}没有输出之后，流的全部文本在 {span}内到达：先生成完毕，再一并发出。",
)
OVER_TIME = Text(
    "The first text arrives after {first}, the rest over {span} (medians).",
    "首段文本在 {first}后到达，其余在 {span}内陆续到达（中位数）。",
)
REFERENCE = Text(
    "Reference server, same requests: first text after {first}, the rest over {span}.",
    "参考服务器对同样的请求：首段文本在 {first}后到达，其余在 {span}内陆续到达。",
)
