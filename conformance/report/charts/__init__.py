"""Charts of a run, drawn from its record.

Each module has two functions: ``numbers`` extracts data from a run, or None if there is none, and
``draw`` makes SVG from it. Of the untrusted responses only numbers get into a chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Run
from conformance.report.charts.agreement import draw as draw_agreement
from conformance.report.charts.agreement import numbers as scores_in
from conformance.report.charts.arrivals import draw as draw_arrivals
from conformance.report.charts.arrivals import numbers as streams_in
from conformance.report.charts.diversity import draw as draw_diversity
from conformance.report.charts.diversity import numbers as samples_in
from conformance.report.charts.latency import draw as draw_latency
from conformance.report.charts.latency import numbers as times_in
from conformance.report.charts.svg import Picture
from conformance.report.charts.traffic import Recorded, recorded
from conformance.report.charts.usage import draw as draw_bills
from conformance.report.charts.usage import numbers as usage_in

__all__ = ["Picture", "pictures"]


def pictures(run: Run) -> tuple[Picture, ...]:
    """Draw all charts that the run has data for, in page order."""
    return tuple(_drawn(recorded(run)))


def _drawn(record: Recorded) -> Iterator[Picture]:
    if (streams := streams_in(record)) is not None:
        yield draw_arrivals(streams)
    if (times := times_in(record)) is not None:
        yield draw_latency(times)
    if (usage := usage_in(record)) is not None:
        yield draw_bills(usage)
    if (scores := scores_in(record)) is not None:
        yield draw_agreement(scores)
    if (samples := samples_in(record)) is not None:
        yield draw_diversity(samples)
