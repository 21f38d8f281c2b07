"""A history keeps records compressed; its index can always be made again."""

from __future__ import annotations

import gzip
import multiprocessing
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.history import Added, Entry, History, IndexBrokenError, IndexBusyError
from conformance.history import index as indexing
from conformance.history.store import INDEX
from conformance.message import say
from conformance.model import Arrival, Conclusion, Explanation, Money, Prices
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run, write_run
from tests.report.builders import a_failure, a_finding, a_run, a_subject, an_exchange

Keep = Callable[..., Added]
STREAM = b'data: {"choices":[{"text":" 13"}]}\n\ndata: [DONE]\n\n'
FIRST = datetime.fromisoformat("2026-01-01T04:17:00+00:00")


def a_record(folder: Path, target: str = "zero", day: int = 0, *findings, **header: Any) -> Path:
    """Write a run of a day, and return the path of its record."""
    at = (FIRST + timedelta(days=day)).isoformat()
    header = {"contract_digest": "0" * 64, "subjects": (a_subject(),), **header}
    run = a_run(
        *(findings or (a_finding(),)),
        exchanges=(an_exchange(),),
        target=target,
        started_at=at,
        **header,
    )
    if run.footer is not None:
        run = replace(run, footer=replace(run.footer, finished_at=at))
    path = folder / f"{target}-{day}-{len(list(folder.iterdir()))}.ndjson"
    write_run(run, path)
    return path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def entries_of(kept: History, *targets: str, **between: str) -> list[Entry]:
    with kept.index() as index:
        return index.entries(targets, **between)


def test_run_is_found_again(kept: History, records: Path) -> None:
    record = a_record(records, "zero", 3, a_failure(), a_finding("stop.string"))
    assert kept.add(record) is Added.NEW
    (entry,) = entries_of(kept)
    assert (entry.target, entry.label, entry.tier) == ("zero", "2026-01-04", "standard")
    assert entry.conclusion == Conclusion.NOT_CONFORMING
    assert entry.findings == {"stop.five-refused": "fail"}
    assert entry.counts["pass"] == 1
    assert b"".join(kept.lines_of(entry)) == record.read_bytes()
    assert read_run(kept.folder / entry.path) == read_run(record)


def test_explained_findings_are_no_findings(kept: History, records: Path) -> None:
    root = a_failure("n.ignored")
    why = {"stop.five-refused": Explanation("n.ignored", say("it follows"))}
    kept.add(a_record(records, "zero", 0, root, a_failure(), explained=why))
    (entry,) = entries_of(kept)
    assert entry.findings == {"n.ignored": "fail"}
    assert entry.counts["explained"] == 1


def test_same_run_is_kept_once(kept: History, records: Path) -> None:
    record = a_record(records)
    assert [kept.add(record), kept.add(record)] == [Added.NEW, Added.KNOWN]
    assert len(entries_of(kept)) == 1


def test_newer_run_of_a_key_replaces(kept: History, records: Path) -> None:
    old = a_record(records)
    new = a_record(records, "zero", 0, a_failure())
    lines = new.read_text("utf-8").replace("2026-01-01T04:17:00", "2026-01-01T05:17:00")
    new.write_text(lines, "utf-8")
    assert [kept.add(old), kept.add(new), kept.add(old)] == [
        Added.NEW,
        Added.REPLACED,
        Added.OLDER,
    ]
    (entry,) = entries_of(kept)
    assert entry.exit_code == 1


def test_incomplete_run_is_left_out(kept: History, records: Path) -> None:
    assert kept.add(a_record(records, incomplete=True)) is Added.INCOMPLETE
    assert not kept.folder.exists()


def test_contract_is_kept_once(kept: History, records: Path) -> None:
    for day in range(3):
        kept.add(a_record(records, "zero", day))
    kept.add(a_record(records, "other", 0, subjects=(a_subject("n"),)))
    assert len(list((kept.folder / "contracts").iterdir())) == 2
    assert len(list((kept.folder / "runs").glob("*/*.ndjson.gz"))) == 4


def test_days_and_globs_select(kept: History, records: Path) -> None:
    for target in ("zero", "zero-2", "other"):
        for day in range(4):
            kept.add(a_record(records, target, day))
    assert [e.label for e in entries_of(kept, "zero", since="2026-01-03")] == [
        "2026-01-03",
        "2026-01-04",
    ]
    assert [e.label for e in entries_of(kept, "zero", before="2026-01-02")] == ["2026-01-01"]
    assert {e.target for e in entries_of(kept, "zero*")} == {"zero", "zero-2"}
    assert len(entries_of(kept)) == 12


def test_deleted_index_is_made_again(kept: History, records: Path) -> None:
    for day in range(3):
        kept.add(a_record(records, "zero", day, a_failure()))
    before = entries_of(kept)
    for path in kept.folder.glob(f"{INDEX}*"):
        path.unlink()
    assert entries_of(kept) == before
    (kept.folder / INDEX).write_bytes(b"no index" * 999)
    with pytest.raises(IndexBrokenError, match=r"cannot be used: file is not a database"):
        entries_of(kept)
    assert kept.rebuild() == 3
    assert entries_of(kept) == before


def test_index_of_another_version_is_named(kept: History, records: Path) -> None:
    kept.add(a_record(records))
    with sqlite3.connect(kept.folder / INDEX) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(IndexBrokenError, match="is of another version of the suite"):
        entries_of(kept)
    assert kept.rebuild() == 1


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM passed", "UPDATE runs SET counts = '{'", "UPDATE runs SET figures = '[1]'"],
)
def test_damaged_row_is_named(kept: History, records: Path, damage: str) -> None:
    kept.add(a_record(records))
    before = entries_of(kept)
    with sqlite3.connect(kept.folder / INDEX) as connection:
        connection.execute(damage)
    with pytest.raises(IndexBrokenError, match="a row is damaged"):
        entries_of(kept)
    assert kept.rebuild() == 1
    assert entries_of(kept) == before


def test_row_has_what_a_run_measured(kept: History, records: Path) -> None:
    record = a_record(records, "zero", 0, a_failure(), a_finding("n.count"))
    run = read_run(record)
    prices = Prices(Decimal(1), Decimal(2), "USD")
    busy = an_exchange("x2", status=503)
    streams = [
        an_exchange(f"x{number}", body=STREAM, arrivals=(Arrival(0.1 * number, len(STREAM)),))
        for number in range(3, 6)
    ]
    subjects = (a_subject("stop"), a_subject("n"), a_subject("usage", kind="field"))
    header = replace(run.header, prices=prices, subjects=subjects)
    write_run(replace(run, header=header, exchanges=(busy, *streams)), record)
    kept.add(record)
    for path in kept.folder.glob(f"{INDEX}*"):
        path.unlink()
    (entry,) = entries_of(kept)
    assert entry.parameters == {"stop": "ignored", "n": "honoured"}
    assert entry.fields == {"usage": "untested"}
    assert entry.passed == {"n.count"}
    figures = entry.figures
    assert figures is not None
    assert (figures.attempts, figures.unanswered) == (4, 1)
    assert figures.first is not None
    assert (figures.first.count, figures.first.p50, figures.first.p90) == (3, 0.4, None)
    assert figures.plain is None
    assert figures.money == Money(Decimal("0.01862"), "USD")


def test_killed_add_is_mended(kept: History, records: Path) -> None:
    kept.add(a_record(records, "zero", 0))
    kept.add(a_record(records, "zero", 1))
    with kept.index() as index, index.changing():
        index.remove([entry.path for entry in index.entries(since="2026-01-02")])
    assert len(entries_of(kept)) == 1
    assert kept.rebuild() == 2


def test_broken_record_is_named_by_a_rebuild(tmp_path: Path, records: Path) -> None:
    said: list[str] = []
    kept = History(tmp_path / "history", said.append)
    for day in range(2):
        kept.add(a_record(records, "zero", day))
    place = kept.folder / entries_of(kept)[0].path
    place.write_bytes(place.read_bytes()[:-30])
    assert kept.rebuild() == 1
    (sentence,) = said
    assert sentence.startswith(f"{place} cannot be decompressed")


def test_prune_keeps_what_is_needed(kept: History, records: Path) -> None:
    for day in range(3):
        kept.add(a_record(records, "zero", day))
    kept.add(a_record(records, "other", 0, subjects=(a_subject("n"),)))
    assert kept.prune(entries_of(kept, "other")) > 0
    assert not (kept.folder / "runs" / "other").exists()
    assert len(list((kept.folder / "contracts").iterdir())) == 1
    assert kept.prune(entries_of(kept, before="2026-01-03")) > 0
    (left,) = entries_of(kept)
    assert read_run(kept.folder / left.path).header.subjects == (a_subject(),)


def test_hostile_names_stay_in_the_folder(kept: History, records: Path) -> None:
    for number, name in enumerate(("../../evil", "a/b", "a-b", "..", "\ud800", "x" * 400)):
        path = a_record(records, "zero", number)
        run = read_run(path)
        write_run(replace(run, header=replace(run.header, target=name, model=name)), path)
        assert kept.add(path) is Added.NEW
    found = list(kept.folder.glob("runs/*/*.ndjson.gz"))
    assert len(found) == 6
    assert {path.parent.parent for path in found} == {kept.folder / "runs"}
    assert len(entries_of(kept)) == 6
    assert kept.rebuild() == 6


def test_compressed_record_is_added(kept: History, records: Path) -> None:
    record = a_record(records)
    packed = records / "run.ndjson.gz"
    packed.write_bytes(gzip.compress(record.read_bytes()))
    assert kept.add(packed) is Added.NEW
    assert kept.add(kept.folder / entries_of(kept)[0].path) is Added.KNOWN
    packed.write_bytes(b"\x1f\x8bno")
    with pytest.raises(RunFileError):
        kept.add(packed)


def test_busy_index_is_not_thrown_away(
    kept: History, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add(a_record(records))
    monkeypatch.setattr(indexing, "WAIT_SECONDS", 0.05)
    with kept.index() as index, index.changing():
        with pytest.raises(IndexBusyError, match="another process is changing"):
            kept.rebuild()
        with pytest.raises(IndexBusyError):
            kept.add(a_record(records, "zero", 1))
    assert len(entries_of(kept)) == 1


def add_all(folder: Path, paths: list[Path]) -> None:
    for path in paths:
        History(folder).add(path)


def test_processes_add_at_the_same_time(kept: History, records: Path) -> None:
    paths = [a_record(records, f"t{number % 4}", number) for number in range(40)]
    start = multiprocessing.get_context("spawn")
    workers = [
        start.Process(target=add_all, args=(kept.folder, paths[number::3])) for number in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(entries_of(kept)) == 40
