"""Rows of runs as metrics in the text format of Prometheus; pure.

All are gauges of the last run of a target, for node_exporter's textfile collector, which takes no
timestamps. Format: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4: in values of
labels, backslash, double quote and line feed are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from conformance.history.entry import Entry
from conformance.model import Conclusion

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Watched:
    """What ``conformance watch`` knows of a target besides its last run.

    Attributes:
        target: its name.
        next_at: when it is due next.
        requests, tokens: spent today.
    """

    target: str
    next_at: datetime
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class _Sample:
    name: str
    labels: Labels = field(hash=False)
    value: float | int | str


METRICS: Mapping[str, str] = {
    "conformance_run_conclusion": "1 for the conclusion of the run, 0 for all others.",
    "conformance_run_findings": "Checks by verdict: fail breaks a must, warn a should or may.",
    "conformance_run_requests": "Requests sent.",
    "conformance_run_tokens": "Tokens spent, as the endpoint reports them.",
    "conformance_run_cost": "Cost by the stated prices, in the currency.",
    "conformance_run_duration_seconds": "Duration of the run.",
    "conformance_run_finished_timestamp_seconds": "When the run ended, since 1970.",
    "conformance_response_seconds": "Times of responses: the 0.5 and 0.9 quantiles by kind.",
    "conformance_run_attempts": "Times that a request was sent, with retries.",
    "conformance_run_unanswered_attempts": "Attempts without a whole response, or with 429, 503.",
    "conformance_watch_next_due_timestamp_seconds": "When the target is due next, since 1970.",
    "conformance_watch_day_requests": "Requests spent today.",
    "conformance_watch_day_tokens": "Tokens spent today.",
    "conformance_watch_notices_waiting": "Notices that are not sent yet.",
}
"""What each metric is; docs/watch.md lists them with their labels."""

CONCLUSIONS = tuple(one for one in Conclusion if one is not Conclusion.INCOMPLETE)


def metrics_text(
    rows: Iterable[Entry], watched: Iterable[Watched] = (), waiting: int | None = None
) -> str:
    """Return the metrics of runs, one for each target, tier, region and contract.

    Args:
        rows: the runs.
        watched: what is known of targets besides.
        waiting: how many notices wait; None leaves the metric out.
    """
    samples = [sample for row in rows for sample in _of_run(row)]
    for one in watched:
        samples += _of_watch(one)
    if waiting is not None:
        samples.append(_Sample("conformance_watch_notices_waiting", {}, waiting))
    lines: list[str] = []
    for name, what in METRICS.items():
        found = [sample for sample in samples if sample.name == name]
        if found:
            lines += [f"# HELP {name} {what}", f"# TYPE {name} gauge", *map(_line, found)]
    return "".join(f"{line}\n" for line in lines)


def _of_run(row: Entry) -> Iterator[_Sample]:
    about = {
        "target": row.target,
        "region": row.region or "",
        "tier": row.tier,
        "contract": row.contract_name,
    }

    def sample(name: str, value: float | int | str, **labels: str) -> _Sample:
        return _Sample(f"conformance_{name}", {**about, **labels}, value)

    for conclusion in CONCLUSIONS:
        is_it = int(row.conclusion == conclusion)
        yield sample("run_conclusion", is_it, conclusion=conclusion.value)
    for verdict, count in row.counts.items():
        yield sample("run_findings", count, verdict=verdict)
    yield sample("run_requests", row.requests)
    yield sample("run_tokens", row.tokens)
    yield sample("run_duration_seconds", row.elapsed)
    if (ended := _seconds(row.finished_at)) is not None:
        yield sample("run_finished_timestamp_seconds", ended)
    if row.figures is None:
        return
    if row.figures.money is not None:
        money = row.figures.money
        yield sample("run_cost", format(money.amount, "f"), currency=money.currency)
    kinds = {
        "first_text": row.figures.first,
        "stream": row.figures.stream,
        "response": row.figures.plain,
    }
    for kind, times in kinds.items():
        if times is not None:
            yield sample("response_seconds", times.p50, kind=kind, quantile="0.5")
            if times.p90 is not None:
                yield sample("response_seconds", times.p90, kind=kind, quantile="0.9")
    yield sample("run_attempts", row.figures.attempts)
    yield sample("run_unanswered_attempts", row.figures.unanswered)


def _of_watch(one: Watched) -> Iterator[_Sample]:
    labels = {"target": one.target}
    due = int(one.next_at.timestamp())
    yield _Sample("conformance_watch_next_due_timestamp_seconds", labels, due)
    yield _Sample("conformance_watch_day_requests", labels, one.requests)
    yield _Sample("conformance_watch_day_tokens", labels, one.tokens)


def _seconds(text: str) -> int | None:
    """Return a time since 1970; a record may have anything there."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None


def _line(sample: _Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
    return (
        f"{sample.name}{{{labels}}} {sample.value}" if labels else f"{sample.name} {sample.value}"
    )


def _escaped(value: str) -> str:
    # What some readers take for the end of a line is none here, and no name needs it.
    on_one_line = "".join(" " if char in _BREAKS else char for char in value)
    return on_one_line.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
