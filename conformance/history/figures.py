"""What a run measured besides conformance: times, availability and money."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from statistics import median, quantiles
from typing import Any, Self

from conformance.model import Exchange, Money, Run, money_of
from conformance.protocol.response import TRANSIENT_STATUSES
from conformance.report.charts.latency import times_of
from conformance.report.charts.traffic import recorded

MIN_FOR_MEDIAN = 3
"""The number of responses from which on a median is stated, as in the charts of a report."""

MIN_FOR_TAIL = 10
"""The number of responses from which on a 90th percentile is stated: below it, it would be the
slowest response alone."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of one kind: how many, the median and the 90th percentile, in seconds.

    ``p90`` is None for fewer than :data:`MIN_FOR_TAIL`.
    """

    count: int
    p50: float
    p90: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured.

    Attributes:
        first: times from a streaming request to the first text; None if there are too few.
        stream: times of whole streams.
        plain: times of non-streaming responses.
        attempts: how many times a request was sent, with repeats.
        unanswered: how many of these got no whole response, or one of
            :data:`~conformance.protocol.response.TRANSIENT_STATUSES`, such as 429 and 503. A stream
            that the suite closed early is answered.
        money: what the run cost by the prices that the user states; None without prices.
    """

    first: Times | None = None
    stream: Times | None = None
    plain: Times | None = None
    attempts: int = 0
    unanswered: int = 0
    money: Money | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it; the amount of money is a string."""
        values = asdict(self)
        if self.money is not None:
            values["money"]["amount"] = str(self.money.amount)
        return values

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`as_json` made."""
        values = json.loads(text)
        for name in ("first", "stream", "plain"):
            values[name] = Times(**values[name]) if values[name] else None
        if values["money"]:
            amount = Decimal(values["money"]["amount"])
            values["money"] = Money(**{**values["money"], "amount": amount})
        return cls(**values)


def figures_of(run: Run) -> Figures:
    """Return what a run measured; its exchanges are needed."""
    first, stream, plain = times_of(recorded(run).responses)
    cost = run.footer.cost if run.footer else None
    prices = run.header.prices
    return Figures(
        first=_times(first),
        stream=_times(stream),
        plain=_times(plain),
        attempts=sum(len(exchange.attempts) for exchange in run.exchanges),
        unanswered=_unanswered(run.exchanges),
        money=money_of(cost, prices) if cost and prices else None,
    )


def _times(seconds: Sequence[float]) -> Times | None:
    if len(seconds) < MIN_FOR_MEDIAN:
        return None
    is_many = len(seconds) >= MIN_FOR_TAIL
    tail = quantiles(seconds, n=10, method="inclusive")[-1] if is_many else None
    return Times(len(seconds), _rounded(median(seconds)), _rounded(tail) if tail else None)


def _rounded(seconds: float) -> float:
    """Round to a tenth of a millisecond, below which a clock shows nothing of an endpoint."""
    return round(seconds, 4)


def _unanswered(exchanges: Iterable[Exchange]) -> int:
    return sum(
        attempt.status is None or attempt.fault is not None or attempt.status in TRANSIENT_STATUSES
        for exchange in exchanges
        for attempt in exchange.attempts
    )
