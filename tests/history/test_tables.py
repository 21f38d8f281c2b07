"""Tables of a history are read by other programs as they are described."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.history import History
from conformance.history.figures import Figures, Times
from conformance.history.tables import FINDING_COLUMNS, FINDINGS, RUN_COLUMNS, RUNS, tables
from conformance.model import Money
from tests.history.entries import an_entry
from tests.history.simulated import CHECKS, a_year, write_records

parquet = pytest.importorskip("pyarrow.parquet")
GUIDE = Path(__file__).parents[2] / "docs" / "fleets.md"
FIGURES = Figures(
    first=Times(12, 0.25, 0.5),
    plain=Times(4, 1.5, None),
    attempts=26,
    unanswered=1,
    money=Money(Decimal("0.00125"), "USD", is_bound=True),
)


def read(kept: History, entries: list[Any], said: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each file, without how long they were in memory."""
    found = {}
    for name, pieces in tables(kept, entries, said.append):
        table = parquet.read_table(io.BytesIO(b"".join(pieces)))
        found[name] = table.to_pylist()
    return found


def test_runs_and_findings_are_rows(tmp_path: Path) -> None:
    entries = a_year(2, 5).entries
    write_records(tmp_path, entries)
    found = read(History(tmp_path), entries, said := [])
    assert said == []
    assert [row["run"] for row in found[RUNS]] == [entry.path for entry in entries]
    assert len(found[FINDINGS]) == len(entries) * len(CHECKS)
    fails = {(row["run"], row["check"]) for row in found[FINDINGS] if row["verdict"] == "fail"}
    assert fails == {
        (entry.path, check)
        for entry in entries
        for check, verdict in entry.findings.items()
        if verdict == "fail"
    }


def test_values_have_their_units() -> None:
    entry = an_entry(
        0, figures=FIGURES, parameters={"stop": "ignored"}, counts={"pass": 2}, finished_at="soon"
    )
    (row,) = read(History(Path("none")), [entry], [])[RUNS]
    assert row["started_at"] == datetime(2026, 1, 1, 4, 17, tzinfo=UTC)
    assert row["finished_at"] is None
    assert (row["first_text_p50_seconds"], row["first_text_p90_seconds"]) == (0.25, 0.5)
    assert (row["non_streaming_count"], row["non_streaming_p90_seconds"]) == (4, None)
    assert row["stream_count"] is None
    assert (row["cost"], row["cost_currency"], row["cost_is_bound"]) == (0.00125, "USD", True)
    assert (row["attempts"], row["unanswered"], row["findings_pass"]) == (26, 1, 2)
    assert row["parameters"] == [("stop", "ignored")]
    assert row["region"] is None


def test_broken_record_is_said(tmp_path: Path) -> None:
    entries = a_year(1, 2).entries
    write_records(tmp_path, entries)
    (tmp_path / entries[0].path).write_bytes(b"garbage\n")
    found = read(History(tmp_path), entries, said := [])
    assert {row["run"] for row in found[FINDINGS]} == {entries[1].path}
    (sentence,) = said
    assert entries[0].path in sentence


def test_many_rows_are_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.history.tables.ROWS_A_GROUP", 7)
    entries = a_year(1, 3).entries
    write_records(tmp_path, entries)
    pieces = dict(tables(History(tmp_path), entries, pytest.fail))
    parts = list(pieces[FINDINGS])
    assert len(parts) > 3
    assert parquet.ParquetFile(io.BytesIO(b"".join(parts))).metadata.num_row_groups > 3


def test_columns_are_documented() -> None:
    text = GUIDE.read_text("utf-8")
    for columns in (RUN_COLUMNS, FINDING_COLUMNS):
        missing = [name for name in columns if not re.search(rf"`{_family(name)}`", text)]
        assert missing == []


def _family(name: str) -> str:
    """Return a column as the guide names it: those of a kind together."""
    for one in ("first_text", "stream", "non_streaming"):
        name = re.sub(rf"^{one}_", "KIND_", name)
    return re.escape(re.sub(r"^findings_.*", "findings_VERDICT", name))
