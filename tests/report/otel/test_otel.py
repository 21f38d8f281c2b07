"""A run as OpenTelemetry spans and metrics, and their way to a collector."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from conformance.cli import main
from conformance.contract import load_contract
from conformance.engine import runner
from conformance.engine.selection import Options
from conformance.message import say
from conformance.model import Attempt, Run, Target
from conformance.record.ndjson import RunWriter, read_run
from conformance.report.charts.traffic import json_object
from conformance.report.otel.exporting import metrics_of, resource_of, spans_of
from conformance.report.otel.operations import operations_of
from conformance.testing import FakeEndpoint

GUIDE = Path(__file__).parents[3] / "docs" / "watch.md"
HERE = resource_of("test")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a small run against the endpoint in memory."""
    path = tmp_path_factory.mktemp("run") / "run.ndjson"
    contract = load_contract("openai")
    target = Target("https://api.example.com/v1", "some-model", "openai", "sk-otel-1234567890")
    options = Options(select=("stream-options.*", "n.*", "temperature.*"))
    endpoint = FakeEndpoint(contract, "some-model")

    async def keep() -> None:
        with RunWriter(path) as writer:
            async for event in runner.run(target, contract, options, transport=endpoint):
                writer.write(event)

    asyncio.run(keep())
    return path


@pytest.fixture
def run(record: Path) -> Run:
    return read_run(record)


def test_each_request_is_a_span_in_the_run(run: Run) -> None:
    *requests, whole = spans_of(run, HERE)
    assert whole.name == "conformance run"
    assert whole.attributes is not None
    assert whole.attributes["conformance.conclusion"] == run.conclusion.value
    assert {span.name for span in requests} == {"text_completion some-model"}
    assert len(requests) == sum(x.request.method == "POST" for x in run.exchanges)
    for span in requests:
        assert span.parent is not None
        assert span.parent.span_id == whole.context.span_id
        assert span.kind.name == "CLIENT"
        assert whole.start_time <= span.start_time <= span.end_time <= whole.end_time


def test_attributes_are_those_of_the_exchange(run: Run) -> None:
    found = [one.attributes for one in operations_of(run)]
    streams = [one for one in found if one.get("gen_ai.request.stream")]
    assert streams
    assert all(one["gen_ai.response.time_to_first_chunk"] >= 0 for one in streams)
    served = [one for one in found if "error.type" not in one]
    for one in served:
        assert one["gen_ai.operation.name"] == "text_completion"
        assert (one["server.address"], one["server.port"]) == ("api.example.com", 443)
        assert one["gen_ai.response.model"] == "some-model"
    assert any(one.get("gen_ai.request.choice.count", 1) > 1 for one in found)
    assert {one["error.type"] for one in found if "error.type" in one} <= {"400", "422"}
    prompts = [json_object(x.request.body).get("prompt") for x in run.exchanges if x.request.body]
    values = {value for one in found for value in one.values()}
    assert not {p for p in prompts if isinstance(p, str) and len(p) > 8} & {str(v) for v in values}


def test_metrics_count_what_the_run_did(run: Run) -> None:
    data = metrics_of(run, HERE)
    assert data is not None
    ((scope,),) = [one.scope_metrics for one in data.resource_metrics]
    metrics = {metric.name.rpartition("inference.")[2]: metric for metric in scope.metrics}
    operations = list(operations_of(run))
    assert sum(p.count for p in metrics["duration"].data.data_points) == len(operations)
    for kind, place in (("input", 0), ("output", 1)):
        points = metrics[f"usage.{kind}_tokens"].data.data_points
        stated = sum(one.tokens[place] or 0 for one in operations)
        assert sum(point.value for point in points) == stated > 0


def test_request_without_an_answer_is_an_error(run: Run) -> None:
    first, *_ = (x for x in run.exchanges if x.request.method == "POST")
    tries = (Attempt(0.5, 1.0, 503, None), Attempt(2.0, 3.0, None, say("timeout")))
    lost = replace(first, attempts=tries, status=None, body=b"", fault=say("timeout"), elapsed=3.0)
    span, _ = spans_of(replace(run, exchanges=(lost,)), HERE)
    assert span.attributes is not None
    assert span.attributes["error.type"] == "_OTHER"
    assert span.attributes["http.request.resend_count"] == 1
    assert span.end_time - span.start_time == 4_500_000_000
    assert span.status.status_code.name == "ERROR"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 1, "choices": [{"finish_reason": {}}], "usage": {"prompt_tokens": -1}}',
        b'{"id": "\\u202e\\n", "model": "' + b"m" * 9_999 + b'", "choices": "x", "usage": []}',
        b"[" * 9_999,
        b'{"usage": {"prompt_tokens": 1e308, "completion_tokens": true}}',
    ],
)
def test_hostile_response_stays_in_bounds(run: Run, body: bytes) -> None:
    first, *_ = (x for x in run.exchanges if x.request.method == "POST")
    hostile = replace(run, exchanges=(replace(first, status=200, body=body),))
    (one,) = operations_of(hostile)
    assert all(len(v) <= 200 and "\n" not in v for v in one.attributes.values() if type(v) is str)
    assert one.tokens == (None, None)
    assert len(spans_of(hostile, HERE)) == 2


class Collector:
    """What a local collector got: spans and metrics by path."""

    def __init__(self) -> None:
        self.got: dict[str, list[bytes]] = {}
        self.status = 200
        self.url = ""


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.got.setdefault(self.path, []).append(body)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reported(record: Path, tmp_path: Path, *, otel: bool = True) -> Result:
    words = ["report", str(record), "--format", "json", "--out", str(tmp_path / "out")]
    return CliRunner().invoke(main, [*words, *(["--otel"] if otel else [])])


def test_collector_gets_spans_and_metrics(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        reported(record, tmp_path, otel=False)
        assert not collector.got
        result = reported(record, tmp_path)
        assert result.exit_code == 0, result.output
        traces: Any = ExportTraceServiceRequest.FromString(collector.got["/v1/traces"][0])
        metrics: Any = ExportMetricsServiceRequest.FromString(collector.got["/v1/metrics"][0])
    spans = traces.resource_spans[0].scope_spans[0].spans
    assert f"({len(spans)} spans)" in result.stderr
    named = {a.key: a.value.string_value for a in traces.resource_spans[0].resource.attributes}
    assert named["service.name"] == "completions-conformance"
    assert metrics.resource_metrics[0].scope_metrics[0].metrics


def test_collector_that_refuses_is_named(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        collector.status = 400
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
        result = reported(record, tmp_path)
    assert result.exit_code == 4
    assert "the collector did not take the spans" in result.stderr
    assert list(collector.got) == ["/v1/traces"]


def test_nothing_is_sent_without_an_endpoint(record: Path, tmp_path: Path) -> None:
    result = reported(record, tmp_path)
    assert result.exit_code == 4
    assert "set OTEL_EXPORTER_OTLP_ENDPOINT" in result.stderr
    assert not (tmp_path / "out").exists()


def test_missing_packages_are_named(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "conformance.report.otel.exporting", None)
    monkeypatch.delattr(sys.modules["conformance.report.otel"], "exporting", raising=False)
    result = reported(record, tmp_path)
    assert result.exit_code == 4
    assert "completions-conformance[otel]" in result.stderr


def test_guide_lists_every_attribute(run: Run) -> None:
    text = GUIDE.read_text("utf-8")
    section = text.partition("## OpenTelemetry")[2].partition("\n## ")[0]
    words = set(re.findall(r"[.`]([\w.]+)`", section)) | set(re.findall(r"`([\w.]+)`", section))
    used = {name for one in operations_of(run) for name in one.attributes}
    assert {name for name in used if not any(name.endswith(word) for word in words)} == set()
