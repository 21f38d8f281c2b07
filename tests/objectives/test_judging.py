"""An objective is met or missed only where the sample can tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.message import say
from conformance.model import (
    Attempt,
    Exchange,
    Measure,
    Objective,
    ObjectiveResult,
    Request,
    Standing,
    Target,
    Tier,
)
from conformance.objectives import results_of
from conformance.objectives.judging import of_limit, of_share, percentile_of
from conformance.objectives.samples import Sample, Served
from conformance.protocol.trace import RecordedExchange
from conformance.record.events import RunFinished
from conformance.testing import FakeEndpoint

OPENAI = load_contract("openai")
P95 = Objective(Measure.LATENCY, 2.0, 95)
ERRORS = Objective(Measure.ERRORS, 0.05)
AVAILABLE = Objective(Measure.AVAILABILITY, 0.5)
FOUR = Objective(Measure.CHOICES, 4)


def seconds(*times: float) -> list[Sample]:
    return [Sample(time, f"x{n}") for n, time in enumerate(sorted(times, reverse=True))]


@pytest.mark.parametrize(
    ("sample", "standing"),
    [
        (seconds(*[1.0] * 59), Standing.MET),
        (seconds(*[1.0] * 58), Standing.UNDECIDED),
        (seconds(*[2.0] * 59), Standing.MET),  # at the bound
        (seconds(3.0, *[1.0] * 58), Standing.UNDECIDED),
        (seconds(3.0, 3.0, 1.0), Standing.MISSED),
        (seconds(3.0), Standing.UNDECIDED),  # 5 % of single responses may be slow
        ([], Standing.UNDECIDED),
    ],
)
def test_percentile_needs_a_sample(sample: list[Sample], standing: Standing) -> None:
    result = of_share(P95, sample, percentile_of(P95, sample))
    assert (result.standing, result.sample) == (standing, len(sample))


def test_percentile_is_a_time_of_the_sample() -> None:
    times = seconds(*(float(n) for n in range(1, 21)))
    assert percentile_of(P95, times) == 19.0
    assert percentile_of(Objective(Measure.LATENCY, 2.0, 50), times) == 10.0


def test_evidence_is_the_slowest() -> None:
    result = of_share(P95, seconds(1.0, 9.0, 5.0), 9.0)
    assert (result.beyond, result.exchanges) == (2, ("x0", "x1"))


def asked(value: int, *, served: bool, alone: bool = True) -> Served:
    return Served(value, served, alone, f"x{value}")


@pytest.mark.parametrize(
    ("requests", "standing", "seen"),
    [
        ([asked(4, served=True)], Standing.MET, 4.0),
        ([asked(2, served=True), asked(4, served=False)], Standing.MISSED, 2.0),
        # What was refused may have been refused for another parameter, or is more than is wanted.
        ([asked(2, served=True), asked(4, served=False, alone=False)], Standing.UNDECIDED, 2.0),
        ([asked(2, served=True), asked(9, served=False)], Standing.UNDECIDED, 2.0),
        ([asked(2, served=False), asked(3, served=True)], Standing.UNDECIDED, 3.0),
        ([], Standing.UNDECIDED, None),
    ],
)
def test_limit_is_missed_by_its_own_refusal(
    requests: list[Served], standing: Standing, seen: float | None
) -> None:
    result = of_limit(FOUR, requests)
    assert (result.standing, result.seen) == (standing, seen)


def an_exchange(number: int, *statuses: int | None, body: bytes = b"{}") -> RecordedExchange:
    """Make the exchange of one request, whose attempts got these statuses."""
    attempts = tuple(
        Attempt(0.0, 1.0, status, None if status else say("timed out")) for status in statuses
    )
    request = Request("POST", "/completions", b'{"prompt":"%d"}' % number)
    exchange = Exchange(f"x{number}", request, attempts, statuses[-1], (), body, (), 1.0)
    return RecordedExchange(exchange, OPENAI)


def test_rates_count_first_attempts_once() -> None:
    retried, refused, busy, lost = (
        an_exchange(1, 503, 200),
        an_exchange(2, 400),
        an_exchange(3, 429),
        an_exchange(4, None),
    )
    repeated = an_exchange(4, 500)
    errors, available = results_of((ERRORS, AVAILABLE), (retried, refused, busy, lost, repeated))
    assert (errors.sample, errors.beyond) == (3, 2)
    assert (available.sample, available.beyond, available.seen) == (4, 3, 0.25)


def test_error_in_a_stream_is_an_error() -> None:
    broken = an_exchange(1, 200, body=b'data: {"error": {"message": "lost"}}\n\n')
    (result,) = results_of((ERRORS,), (broken,))
    assert result.beyond == 1


def results(*objectives: Objective) -> tuple[ObjectiveResult, ...]:
    """Return what a smoke run against an endpoint that conforms says."""

    async def finished() -> tuple[ObjectiveResult, ...]:
        options = replace(Options(Tier.SMOKE), objectives=objectives)
        target = Target("http://fake/v1", "m", "openai")
        async for event in run(target, OPENAI, options, transport=FakeEndpoint(OPENAI, "m")):
            if isinstance(event, RunFinished):
                return event.footer.objectives
        raise AssertionError("the run has no end")

    return asyncio.run(finished())


def test_run_judges_what_it_sent() -> None:
    stop, choices, context = results(
        Objective(Measure.STOPS, 4), FOUR, Objective(Measure.CONTEXT, 10)
    )
    assert (stop.standing, stop.seen) == (Standing.MET, 4.0)
    assert choices.standing is Standing.UNDECIDED
    assert context.standing is Standing.MET
    assert stop.exchanges


def test_more_than_the_contract_can_be_wanted() -> None:
    (stop,) = results(Objective(Measure.STOPS, 9))
    assert (stop.standing, stop.seen) == (Standing.MISSED, 4.0)
