"""Make spans and metrics of a run with the OpenTelemetry SDK, and send them by OTLP over HTTP.

Both are made in memory first and then handed to the exporter at once, so that whether a collector
took them is known, and nothing is lost in a queue. The exporter reads the standard variables
(opentelemetry.io/docs/specs/otel/protocol/exporter): endpoints, headers, certificates, timeouts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from conformance.model import Run
from conformance.report.otel.operations import OPERATION, Operation, operations_of, start_of

SPANS_AT_ONCE = 512
SCOPE = "conformance"
DURATION_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
                    40.96, 81.92)  # fmt: skip
"""Seconds; those that the convention names for durations."""

VARIABLES = {
    "spans": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "metrics": "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
}
SHARED_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"


class ExportError(Exception):
    """A collector did not take what was sent; the message is one sentence."""


def signals_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the environment names an endpoint for: ``spans``, ``metrics``, both or none."""
    shared = environment.get(SHARED_VARIABLE, "").strip()
    return tuple(
        signal
        for signal, variable in VARIABLES.items()
        if shared or environment.get(variable, "").strip()
    )


def resource_of(service: str | None) -> Resource:
    """Return what sends telemetry; None leaves its name to ``OTEL_SERVICE_NAME``."""
    return Resource.create({"service.name": service} if service else {})


def spans_of(run: Run, resource: Resource) -> Sequence[ReadableSpan]:
    """Return a span for the run and one for each of its requests.

    Raises:
        UndatedError: the record has no valid start time.
    """
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer(SCOPE, run.header.recorded_by or run.header.suite_version)
    began = start_of(run.header)
    operations = list(operations_of(run))
    attributes = {
        "conformance.target": run.header.target or "",
        "conformance.contract": run.header.contract,
        "conformance.tier": run.header.tier.value,
        "conformance.conclusion": run.shown_conclusion.value,
    }
    whole = tracer.start_span("conformance run", start_time=began, attributes=attributes)
    inside = set_span_in_context(whole)
    for one in operations:
        name = f"{OPERATION} {one.shared['gen_ai.request.model']}"
        span = tracer.start_span(
            name,
            inside,
            SpanKind.CLIENT,
            attributes=dict(one.attributes),
            start_time=one.started,
        )
        if one.error is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(one.ended)
    whole.end(max([began, *(one.ended for one in operations)]))
    return kept.get_finished_spans()


def metrics_of(run: Run, resource: Resource) -> MetricsData | None:
    """Return the metrics of a run's requests; None if it has none.

    Raises:
        UndatedError: the record has no valid start time.
    """
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    meter = provider.get_meter(SCOPE, run.header.recorded_by or run.header.suite_version)
    prefix = "gen_ai.client.inference"
    duration = meter.create_histogram(
        f"{prefix}.duration", "s", explicit_bucket_boundaries_advisory=DURATION_BUCKETS
    )
    first = meter.create_histogram(
        f"{prefix}.time_to_first_chunk", "s", explicit_bucket_boundaries_advisory=DURATION_BUCKETS
    )
    counters = [
        meter.create_counter(f"{prefix}.usage.{kind}_tokens", "{token}")
        for kind in ("input", "output")
    ]
    for one in operations_of(run):
        attributes = _of_metrics(one)
        duration.record(one.seconds, attributes)
        if one.first_chunk is not None:
            first.record(one.first_chunk, attributes)
        for counter, tokens in zip(counters, one.tokens, strict=True):
            if tokens is not None:
                counter.add(tokens, attributes)
    found: MetricsData | None = reader.get_metrics_data()
    return found


def _of_metrics(one: Operation) -> dict[str, str | bool | int | float | Sequence[str]]:
    model = one.attributes.get("gen_ai.response.model")
    return {**one.shared, **({"gen_ai.response.model": model} if model else {})}


def export(run: Run, signals: Sequence[str], resource: Resource) -> int:
    """Send what a run gives to the endpoints of the environment; return the number of spans.

    Raises:
        ExportError: a collector did not take it.
        UndatedError: the record has no valid start time.
    """
    sent = 0
    with _quiet():
        if "spans" in signals:
            spans = spans_of(run, resource)
            to_spans = OTLPSpanExporter()
            for start in range(0, len(spans), SPANS_AT_ONCE):
                part = spans[start : start + SPANS_AT_ONCE]
                if to_spans.export(part) is not SpanExportResult.SUCCESS:
                    raise ExportError(_NOT_TAKEN.format(what="spans", name=VARIABLES["spans"]))
            to_spans.shutdown()  # type: ignore[no-untyped-call]  # the SDK declares none
            sent = len(spans)
        if "metrics" in signals and (data := metrics_of(run, resource)) is not None:
            to_metrics = OTLPMetricExporter()
            if to_metrics.export(data) is not MetricExportResult.SUCCESS:
                raise ExportError(_NOT_TAKEN.format(what="metrics", name=VARIABLES["metrics"]))
            to_metrics.shutdown()
    return sent


_NOT_TAKEN = f"the collector did not take the {{what}}; see {{name}} and {SHARED_VARIABLE}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from logging what is said in one sentence anyway."""
    logger = logging.getLogger("opentelemetry")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
