"""What a user wants of an endpoint in numbers, and what a run can say of it.

These are the user's own service level objectives. No document promises them, so they are no part of
the verdict on the contract; a missed one makes the exit code that of a run with deviations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """What an objective is about; the value is its name in ``conformance.toml``."""

    FIRST_TEXT = "ttft"
    """Seconds from a streaming request to the first text."""

    LATENCY = "latency"
    """Seconds from a request to the end of the response."""

    GAP = "gap"
    """Seconds of the longest pause between two texts of one stream."""

    ERRORS = "error-rate"
    """The share of requests that get a 5xx, an error in a stream, or no whole response."""

    AVAILABILITY = "availability"
    """The share of requests that get a response other than 429, 502, 503 and 504."""

    CHOICES = "n"
    """The highest ``n`` that was served."""

    STOPS = "stop"
    """The highest number of stop sequences that was served."""

    LOGPROBS = "logprobs"
    """The highest ``logprobs`` that was served."""

    CONTEXT = "context"
    """The tokens of the longest prompt that was served."""


CONFIDENCE = 0.95
"""Of each end of an interval: *met*, and *missed*, are each wrong in at most 5 % of runs."""

MAX_EVIDENCE = 5
"""Exchanges that a result names."""

TIMES = frozenset({Measure.FIRST_TEXT, Measure.LATENCY, Measure.GAP})
"""Measures in seconds, of which an objective names a percentile."""

RATES = frozenset({Measure.ERRORS, Measure.AVAILABILITY})
"""Measures from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective, such as "95 % of first texts within 2 seconds".

    Attributes:
        measure: what it is about.
        bound: the most seconds or the highest error rate, otherwise the least that is wanted.
        percentile: from 1 to 99 for a time, otherwise None.
    """

    measure: Measure
    bound: float
    percentile: int | None = None

    @property
    def name(self) -> str:
        """The name in ``conformance.toml``, such as ``ttft-p95``."""
        return self.measure if self.percentile is None else f"{self.measure}-p{self.percentile}"

    @property
    def tolerated(self) -> float:
        """The share of the sample that may miss the bound: 0.05 for a 95th percentile."""
        if self.percentile is not None:
            return (100 - self.percentile) / 100
        return self.bound if self.measure is Measure.ERRORS else 1 - self.bound

    @property
    def least_sample(self) -> int:
        """How many requests, none of them beyond the bound, it takes to say that it is met."""
        return math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-self.tolerated))


class Standing(StrEnum):
    """What a run says of an objective."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "inconclusive"


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """What a run says of one objective.

    Attributes:
        objective: the objective.
        standing: met or missed only if the sample can tell.
        seen: the percentile in seconds, the rate, or the highest value served; None without any.
        sample: the number of times or requests that were looked at.
        beyond: how many of them missed the bound; of a limit, requests within it that were not
            served.
        low: the lower end of the interval of the share that misses the bound, from 0 to 1; None of
            a limit, and without a sample.
        high: the upper end of that interval.
        exchanges: ids of exchanges that show it, the worst first; at most
            :data:`MAX_EVIDENCE`.
    """

    objective: Objective
    standing: Standing
    seen: float | None = None
    sample: int = 0
    beyond: int = 0
    low: float | None = None
    high: float | None = None
    exchanges: tuple[str, ...] = ()
