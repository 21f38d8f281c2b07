"""Pictures of a run, where people would rather look than read: drawn from its record alone.

Each picture is a file with two functions: ``numbers`` takes from a run what is to be shown, or None
where the run has nothing of it, and ``draw`` makes SVG of that. What an endpoint sent is read with
suspicion, and nothing of it but numbers gets into a picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Run
from conformance.reports.pictures.agreement import draw as draw_agreement
from conformance.reports.pictures.agreement import numbers as scores_in
from conformance.reports.pictures.arrivals import draw as draw_arrivals
from conformance.reports.pictures.arrivals import numbers as streams_in
from conformance.reports.pictures.bills import draw as draw_bills
from conformance.reports.pictures.bills import numbers as bills_in
from conformance.reports.pictures.diversity import draw as draw_diversity
from conformance.reports.pictures.diversity import numbers as samples_in
from conformance.reports.pictures.drawing import Picture
from conformance.reports.pictures.latency import draw as draw_latency
from conformance.reports.pictures.latency import numbers as times_in
from conformance.reports.pictures.reading import Recorded, recorded

__all__ = ["Picture", "pictures"]


def pictures(run: Run) -> tuple[Picture, ...]:
    """Draw all that a run has the numbers for, in the order in which a page shows them."""
    return tuple(_drawn(recorded(run)))


def _drawn(record: Recorded) -> Iterator[Picture]:
    if (streams := streams_in(record)) is not None:
        yield draw_arrivals(streams)
    if (times := times_in(record)) is not None:
        yield draw_latency(times)
    if (bill := bills_in(record)) is not None:
        yield draw_bills(bill)
    if (scores := scores_in(record)) is not None:
        yield draw_agreement(scores)
    if (samples := samples_in(record)) is not None:
        yield draw_diversity(samples)
