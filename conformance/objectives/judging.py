"""From samples to results: met, missed, or inconclusive where the sample cannot tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from conformance.model import (
    MAX_EVIDENCE,
    RATES,
    TIMES,
    Measure,
    Objective,
    ObjectiveResult,
    Standing,
)
from conformance.objectives.intervals import share_interval
from conformance.objectives.samples import Sample, Served, failures_of, limits_of, times_of
from conformance.protocol.trace import RecordedExchange


def results_of(
    objectives: Iterable[Objective], trace: Sequence[RecordedExchange]
) -> tuple[ObjectiveResult, ...]:
    """Return what the exchanges of a run say of each objective, in order."""
    return tuple(_result(objective, trace) for objective in objectives)


def _result(objective: Objective, trace: Sequence[RecordedExchange]) -> ObjectiveResult:
    measure = objective.measure
    if measure in TIMES:
        times = sorted(times_of(measure, trace), key=lambda sample: -sample.value)
        return of_share(objective, times, percentile_of(objective, times))
    if measure in RATES:
        failed = sorted(failures_of(measure, trace), key=lambda sample: -sample.value)
        return of_share(objective, failed, _rate_of(measure, failed))
    return of_limit(objective, limits_of(measure, trace))


def of_share(objective: Objective, sample: Sequence[Sample], seen: float | None) -> ObjectiveResult:
    """Judge an objective about a share of a sample, which is sorted with the worst first.

    Args:
        objective: about a time or a rate.
        sample: of a time the seconds, of a rate 1 for each failure and otherwise 0.
        seen: the percentile or the rate of the sample; None without a sample.
    """
    bound = objective.bound if objective.measure in TIMES else 0.0
    beyond = [one for one in sample if one.value > bound]
    if not sample:
        return ObjectiveResult(objective, Standing.UNDECIDED)
    low, high = share_interval(len(beyond), len(sample))
    if high <= objective.tolerated:
        standing = Standing.MET
    else:
        standing = Standing.MISSED if low > objective.tolerated else Standing.UNDECIDED
    shown = tuple(one.exchange for one in beyond[:MAX_EVIDENCE])
    return ObjectiveResult(
        objective, standing, seen, len(sample), len(beyond), low, high, exchanges=shown
    )


def percentile_of(objective: Objective, times: Sequence[Sample]) -> float | None:
    """Return a percentile of times that are sorted with the longest first: a time of the sample.

    It is the least time that the named percentage of the sample does not exceed.
    """
    if not times or objective.percentile is None:
        return None
    rank = math.ceil(objective.percentile * len(times) / 100)
    return times[len(times) - rank].value


def _rate_of(measure: Measure, failed: Sequence[Sample]) -> float | None:
    if not failed:
        return None
    rate = sum(one.value for one in failed) / len(failed)
    return 1 - rate if measure is Measure.AVAILABILITY else rate


def of_limit(objective: Objective, asked: Sequence[Served]) -> ObjectiveResult:
    """Judge an objective about the highest value that was served.

    It is missed if a value within it was asked for by itself and was never served. Without such a
    request, and without one that was served, the run cannot tell.
    """
    served = [one for one in asked if one.is_served]
    highest = max((one.value for one in served), default=0)
    refused = [
        one
        for one in asked
        if not one.is_served and one.is_alone and highest < one.value <= objective.bound
    ]
    if highest >= objective.bound:
        standing, shown = Standing.MET, [one for one in served if one.value == highest]
    else:
        standing = Standing.MISSED if refused else Standing.UNDECIDED
        shown = refused
    return ObjectiveResult(
        objective,
        standing,
        float(highest) if served else None,
        len(asked),
        len(refused),
        exchanges=tuple(one.exchange for one in shown[:MAX_EVIDENCE]),
    )
