"""Chunks of a stream over time, beside the reference's stream."""

from __future__ import annotations

import pytest

from conformance.model import Level
from conformance.report.charts import arrivals, traffic
from tests.report.builders import a_finding, a_run
from tests.report.charts.exchanges import compared, non_streaming, record_of, stream

CONFORMING = [0.1 + 0.05 * number for number in range(10)]
BURST = [0.9 + 0.0001 * number for number in range(10)]


def a_burst_finding(verdict: str):
    return a_finding(
        "streaming.incremental", verdict, requirement="streaming.incremental", level=Level.SHOULD
    )


def test_only_times_of_text_are_shown() -> None:
    texts = ["", " a", None, " b", 7, " c", " d", {}, "", " e"]
    found = arrivals.numbers(record_of(stream("x1", CONFORMING, texts=texts)))
    assert found is not None
    (row,) = found.rows
    assert row.theirs.times == tuple(CONFORMING[place] for place in (1, 3, 5, 6, 9))
    assert row.theirs.chunks == 5
    assert row.theirs.span == pytest.approx(0.4)


def test_short_choices_and_echoes_are_no_burst() -> None:
    texts = [{"index": place, "text": " a"} for place in range(10)]
    short = stream("x1", BURST, choices=texts, n=10)
    assert arrivals.numbers(record_of(short, stream("x2", BURST, echo=True))) is None
    turns = [{"index": place % 2, "text": " a"} for place in range(10)]
    found = arrivals.numbers(record_of(stream("x3", CONFORMING, choices=turns, n=2)))
    assert found is not None
    assert found.rows[0].theirs.times == tuple(CONFORMING[::2])


@pytest.mark.parametrize("exchanges", [(), (non_streaming(),), (stream("x1", CONFORMING[:3]),)])
def test_streams_with_one_chunk_are_not_drawn(exchanges) -> None:
    assert arrivals.numbers(record_of(*exchanges)) is None


def test_streams_are_sorted_by_chunks_and_limited() -> None:
    streams = [stream(f"x{n}", CONFORMING[: 4 + n % 6], user=str(n)) for n in range(20)]
    found = arrivals.numbers(record_of(*streams))
    assert found is not None
    counts = [row.theirs.chunks for row in found.rows]
    assert len(counts) == arrivals.MAX_ROWS
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 9


def test_reference_stream_is_drawn_below_the_same_request() -> None:
    short = stream("x1", BURST[:5], user="compared")
    again = stream("x2", BURST[:5], user="compared")
    long = stream("x3", BURST)
    run = compared(a_run(exchanges=(long, short, again)), "x2", stream("r1", CONFORMING))
    found = arrivals.numbers(traffic.recorded(run))
    assert found is not None
    assert [row.ours is not None for row in found.rows] == [True, False, False]
    assert found.rows[0].theirs.chunks == 5
    assert found.rows[0].ours is not None
    assert found.rows[0].ours.times == pytest.approx(CONFORMING)


def test_long_stream_is_thinned_between_its_ends() -> None:
    times = [0.001 * number for number in range(3_001)]
    found = arrivals.numbers(record_of(stream("x1", times)))
    assert found is not None
    (row,) = found.rows
    assert row.theirs.chunks == 3_001
    assert len(row.theirs.times) <= arrivals.MAX_CHUNKS_DRAWN + 1
    assert (row.theirs.first, row.theirs.times[-1]) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("verdict", "reported"), [("fail", True), ("warn", True), ("pass", False), ("skipped", False)]
)
def test_burst_is_reported_only_after_a_failed_check(verdict: str, reported: bool) -> None:
    record = record_of(stream("x1", BURST), findings=[a_burst_finding(verdict)])
    found = arrivals.numbers(record)
    assert found is not None
    picture = arrivals.draw(found)
    assert ("generated first and sent afterwards" in picture.says.en) is reported
    assert ("先生成完毕" in picture.says.zh) is reported
    assert "900 ms" in picture.says.en
    assert "1 ms" in picture.says.en


def test_bursts_end_together_and_conforming_streams_spread() -> None:
    def places(times: list[float]) -> list[float]:
        found = arrivals.numbers(record_of(stream("x1", times)))
        assert found is not None
        path = str(arrivals.draw(found).svg).split('stroke-linecap="round"')[0].split('d="')[-1]
        return [float(dot.split(" ")[0]) for dot in path.split("M")[1:]]

    room = arrivals.RIGHT - arrivals.LEFT
    assert max(places(BURST)) - min(places(BURST)) < room / 100
    assert max(places(CONFORMING)) - min(places(CONFORMING)) > room / 2
