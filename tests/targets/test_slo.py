"""Objectives of a target are names with bounds; anything else is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.model import Measure, Objective
from conformance.targets import TargetsError, read_targets

TARGET = """
[targets.x]
base-url = "http://127.0.0.1:1/v1"
model = "m"
"""


def read(tmp_path: Path, lines: str) -> tuple[Objective, ...]:
    path = tmp_path / "conformance.toml"
    path.write_text(lines)
    (entry,) = read_targets(path)
    return entry.options.objectives


def test_objectives_are_read_in_order(tmp_path: Path) -> None:
    table = "[targets.x.slo]\nttft-p95 = 2\nerror-rate = 0.01\nn = 4\n"
    assert read(tmp_path, TARGET + table) == (
        Objective(Measure.FIRST_TEXT, 2.0, 95),
        Objective(Measure.ERRORS, 0.01),
        Objective(Measure.CHOICES, 4.0),
    )


def test_target_replaces_the_objectives_of_all(tmp_path: Path) -> None:
    shared = "[defaults]\nslo = {gap-p50 = 0.5}\n"
    assert read(tmp_path, shared + TARGET) == (Objective(Measure.GAP, 0.5, 50),)
    own = TARGET + "slo = {stop = 4}\n"
    assert read(tmp_path, shared + own) == (Objective(Measure.STOPS, 4.0),)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2", "must be a table, such as"),
        ("{}", "must be a table, such as"),
        ("{ttft = 2}", "has 'ttft'; objectives are gap-p95, latency-p95, ttft-p95"),
        ("{ttft-p100 = 2}", "has 'ttft-p100'"),
        ("{ttft-p0 = 2}", "has 'ttft-p0'"),
        ("{ttft-p95 = 0}", "ttft-p95 that must be a number greater than 0 (seconds)"),
        ('{ttft-p95 = "2s"}', "ttft-p95 that must be a number greater than 0 (seconds)"),
        ("{error-rate = 0}", "between 0 and 1"),
        ("{availability = 1}", "no sample shows that nothing ever fails"),
        ("{availability = nan}", "between 0 and 1"),
        ("{n = 0}", "value for n that must be an integer from 1"),
        ("{n = 1.5}", "value for n that must be an integer from 1"),
    ],
)
def test_nonsense_is_one_sentence(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(TargetsError) as error:
        read(tmp_path, TARGET + f"slo = {written}")
    (sentence,) = error.value.mistakes
    assert "target 'x': slo " in sentence
    assert told in sentence
