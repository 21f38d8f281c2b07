"""Latencies are compared on the same requests."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Arrival, Exchange
from conformance.report.diff.figures import Median, figures_of
from tests.report.builders import a_run, an_exchange

STREAM = "text/event-stream; charset=utf-8"


def requested(prompt: str, seconds: float, **changes: Any) -> Exchange:
    body = {"model": changes.pop("model", "m"), "prompt": prompt}
    return an_exchange(request=body, elapsed=seconds, **changes)


def streamed(prompt: str, first: float) -> Exchange:
    arrivals = (Arrival(first, 5), Arrival(9.0, 5))
    body = {"model": "m", "prompt": prompt, "stream": True}
    return an_exchange(request=body, content_type=STREAM, arrivals=arrivals, elapsed=9.0)


def test_only_requests_in_both_runs_count() -> None:
    old = a_run(exchanges=(requested("a", 1.0), requested("b", 2.0), requested("long", 60.0)))
    new = a_run(exchanges=(requested("b", 4.0), requested("a", 2.0), requested("short", 0.1)))
    then, now = figures_of(old, new)
    assert then.plain == Median(1.5, 2)
    assert now.plain == Median(3.0, 2)


def test_repeated_requests_count_repeatedly() -> None:
    old = a_run(exchanges=(requested("a", 1.0),))
    new = a_run(exchanges=(requested("a", 1.0), requested("a", 3.0), requested("a", 9.0)))
    assert figures_of(old, new)[1].plain == Median(3.0, 3)


def test_model_name_does_not_distinguish_requests() -> None:
    old, new = (a_run(exchanges=(requested("a", 1.0, model=name),)) for name in ("x", "y"))
    assert figures_of(old, new)[0].plain == Median(1.0, 1)


def test_first_chunk_time_is_measured_for_streams_only() -> None:
    old = a_run(exchanges=(streamed("a", 0.25), requested("b", 1.0)))
    new = a_run(exchanges=(streamed("a", 0.5), requested("b", 1.0)))
    then, now = figures_of(old, new)
    assert (then.first_chunk, now.first_chunk) == (Median(0.25, 1), Median(0.5, 1))
    assert then.plain == Median(1.0, 1)


@pytest.mark.parametrize(
    "exchange",
    [
        requested("a", 1.0, status=500),
        requested("a", 1.0, fault="it broke off"),
        an_exchange(request=b"not json"),
        an_exchange(request=b"[" * 100_000),
        an_exchange(request=b'["prompt"]'),
        an_exchange(request={"model": "m"}),
    ],
    ids=["refused", "broken off", "no JSON", "too deep", "no object", "no prompt"],
)
def test_failed_requests_are_not_measured(exchange: Exchange) -> None:
    run = a_run(exchanges=(exchange,))
    then, _ = figures_of(run, run)
    assert (then.plain, then.first_chunk) == (None, None)
