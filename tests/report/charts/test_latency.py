"""Latency, by kind."""

from __future__ import annotations

from dataclasses import replace

from conformance.report.charts import latency, traffic
from tests.report.builders import a_run
from tests.report.charts.exchanges import compared, non_streaming, record_of, stream


def kinds_of(*exchanges):
    found = latency.numbers(record_of(*exchanges))
    return {kind.name.en: kind.times for kind in found or ()}


def test_streams_have_two_times_and_others_one() -> None:
    streams = [
        stream(f"s{n}", [0.1 * n, 0.1 * n + 1, 3.0], texts=["", " a", " b"]) for n in (1, 2, 3)
    ]
    plains = [non_streaming(f"p{n}", elapsed=0.5 * n) for n in (3, 1, 2)]
    assert kinds_of(*streams, *plains) == {
        "first text": (1.1, 1.2, 1.3),
        "whole stream": (3.0, 3.0, 3.0),
        "non-streaming": (0.5, 1.0, 1.5),
    }


def test_two_responses_are_no_distribution() -> None:
    assert kinds_of(non_streaming("a"), non_streaming("b")) == {}
    assert latency.numbers(record_of()) is None


def test_closed_stream_has_no_end_time() -> None:
    whole = [stream(f"s{n}", [0.1, 0.2]) for n in range(3)]
    left = [replace(s, request=replace(s.request, read_events=3)) for s in whole]
    assert set(kinds_of(*left)) == {"first text"}


def test_refusals_and_faults_are_left_out() -> None:
    refused = [replace(non_streaming(f"p{n}"), status=400) for n in range(5)]
    assert kinds_of(*refused) == {}


def test_reference_is_a_separate_kind() -> None:
    run = a_run(exchanges=tuple(non_streaming(f"x{n}", user=str(n)) for n in range(3)))
    for n in range(3):
        run = compared(run, f"x{n}", non_streaming(f"r{n}", elapsed=2.0))
    found = latency.numbers(traffic.recorded(run))
    assert found is not None
    assert [(kind.of_reference, kind.median) for kind in found] == [(False, 0.25), (True, 2.0)]
    assert "reference: non-streaming 2.0 s" in latency.draw(found).says.en


def test_axis_is_logarithmic_for_a_wide_range() -> None:
    near = latency.numbers(
        record_of(*(non_streaming(f"p{n}", elapsed=0.5 + n / 10) for n in range(5)))
    )
    far = latency.numbers(
        record_of(*(non_streaming(f"p{n}", elapsed=0.001 * 10**n) for n in range(5)))
    )
    assert near is not None
    assert far is not None
    assert ">0<" in latency.draw(near).svg
    assert ">0<" not in latency.draw(far).svg
    assert "10 ms" in latency.draw(far).svg


def test_responses_in_zero_time_can_be_drawn() -> None:
    found = latency.numbers(record_of(*(non_streaming(f"p{n}", elapsed=0.0) for n in range(5))))
    assert found is not None
    assert "NaN" not in latency.draw(found).svg
