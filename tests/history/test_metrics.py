"""Metrics are what Prometheus reads, whatever a target is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conformance.history.entry import entry_of
from conformance.history.figures import Figures, Times
from conformance.history.metrics import CONCLUSIONS, METRICS, Watched, metrics_text
from conformance.model import Money
from tests.report.builders import a_failure, a_run

ROOT = Path(__file__).parents[2]
DUE = datetime(2026, 12, 1, 10, 17, tzinfo=UTC)
FIGURES = Figures(
    first=Times(12, 0.25, 0.5),
    plain=Times(4, 0.1, None),
    attempts=30,
    unanswered=2,
    money=Money(Decimal("0.0000012"), "USD"),
)


def samples_of(text: str) -> dict[tuple[str, ...], float]:
    """Return values by the name and the labels that tell them apart."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        for sample in family.samples:
            more = {k: v for k, v in sample.labels.items() if k not in {"region", "tier"}}
            more.pop("contract", None)
            found[sample.name.removeprefix("conformance_"), *more.values()] = sample.value
    return found


def test_metrics_of_a_run_are_read() -> None:
    row = replace(entry_of(a_run(a_failure(), target="zero"), "", None), figures=FIGURES)
    found = samples_of(metrics_text([row], [Watched("zero", DUE, 48, 900)], waiting=3))
    assert found["run_conclusion", "zero", "not conforming"] == 1
    assert sum(v for key, v in found.items() if key[0] == "run_conclusion") == 1
    assert found["run_findings", "zero", "fail"] == 1
    assert found["response_seconds", "zero", "first_text", "0.9"] == 0.5
    assert found["response_seconds", "zero", "response", "0.5"] == 0.1
    assert ("response_seconds", "zero", "response", "0.9") not in found
    assert found["run_cost", "zero", "USD"] == 0.0000012
    assert found["run_unanswered_attempts", "zero"] == 2
    assert found["watch_next_due_timestamp_seconds", "zero"] == DUE.timestamp()
    assert found["watch_notices_waiting",] == 3
    assert {f"conformance_{key[0]}" for key in found} == set(METRICS)


@pytest.mark.parametrize(
    "name", ['a"b', "a\\", "a\nb 1", '"} 9\n# TYPE x counter', "智能", "\u2028"]
)
def test_hostile_name_stays_one_label(name: str) -> None:
    row = entry_of(a_run(target=name), "", None)
    text = metrics_text([row, entry_of(a_run(target="other"), "", None)])
    targets = {
        sample.labels["target"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert targets == {"other", name.replace("\u2028", " ")}
    assert text.count("# TYPE ") == metrics_text([row]).count("# TYPE ")


def test_unknown_conclusion_is_none_of_the_known() -> None:
    row = replace(entry_of(a_run(), "", None), conclusion="x", finished_at="never")
    found = samples_of(metrics_text([row]))
    assert len([key for key in found if key[0] == "run_conclusion"]) == len(CONCLUSIONS)
    assert not any(v for key, v in found.items() if key[0] == "run_conclusion")
    assert not any(key[0] == "run_finished_timestamp_seconds" for key in found)


@pytest.mark.parametrize("guide", ["docs/watch.md", "docs/zh/watch.md"])
def test_guide_lists_every_metric(guide: str) -> None:
    listed = re.findall(r"`(conformance_\w+)`", (ROOT / guide).read_text("utf-8"))
    assert sorted(listed) == sorted(METRICS)
