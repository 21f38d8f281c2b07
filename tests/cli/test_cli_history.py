"""``conformance history``: add, list, show, export, prune, rebuild."""

from __future__ import annotations

import json
import sqlite3
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.record.ndjson import read_run, write_run
from tests.report.builders import a_failure, a_finding, a_run


def recorded(place: str, day: int, *findings, **header: Any) -> None:
    """Write the record of a run on a day of December to a folder, ``reports/target``."""
    at = f"2026-12-{day:02}T04:17:00+00:00"
    header = {"target": place.rpartition("/")[2], "contract_digest": "0" * 64, **header}
    run = a_run(*(findings or (a_finding(),)), started_at=at, **header)
    if run.footer is not None:
        run = replace(run, footer=replace(run.footer, finished_at=at))
    Path(place).mkdir(parents=True)
    write_run(run, Path(place, "run.ndjson"))


@pytest.fixture
def week(command) -> None:
    """Five days of two targets; one of them fails on two days."""
    for day in range(1, 6):
        found = a_failure() if day in {2, 3} else a_finding()
        recorded(f"reports/{day}/zero", day, found)
        recorded(f"reports/{day}/other", day)
    days = [f"reports/{day}" for day in range(1, 6)]
    result = command("history", "add", *days)
    assert result.exit_code == 0, result.output
    assert result.stdout == "10 runs added, 0 replaced, 0 known, 0 left out\n"


@pytest.mark.usefixtures("week")
def test_runs_are_listed_by_target_and_time(command) -> None:
    lines = command("history", "list", "zero", "--since", "2026-12-03").stdout.splitlines()
    assert (
        lines
        == [
            "2026-12-03 04:17  zero    standard  Not conforming  1 finding   1 request",
            "2026-12-04 04:17  zero    standard  Conforming      0 findings  1 request",
            "2026-12-05 04:17  zero    standard  Conforming      0 findings  1 request",
        ]
        or len(lines) == 3
    )
    everything = json.loads(command("history", "list", "--format", "json").stdout)
    assert [row["target"] for row in everything] == ["other"] * 5 + ["zero"] * 5
    chinese = command("history", "list", "zero", "--lang", "zh").stdout
    assert "不符合契约" in chinese


@pytest.mark.usefixtures("week")
def test_changes_are_shown_on_their_day(command) -> None:
    shown = command("history", "show", "zero").stdout.splitlines()
    assert [line for line in shown if line.startswith("  ")] == [
        "  + stop.five-refused fail",
        "  - stop.five-refused fail",
    ]
    assert shown.index("  + stop.five-refused fail") == 2
    rows = json.loads(command("history", "show", "zero", "--format", "json").stdout)
    assert [row["appeared"] for row in rows] == [{}, {"stop.five-refused": "fail"}, {}, {}, {}]
    assert [row["gone"] for row in rows] == [{}, {}, {}, {"stop.five-refused": "fail"}, {}]
    assert [len(row["regressions"]) for row in rows] == [0, 1, 0, 0, 0]
    assert [len(row["recoveries"]) for row in rows] == [0, 0, 0, 1, 0]
    late = json.loads(
        command("history", "show", "zero", "--since", "2026-12-04", "--format", "json").stdout
    )
    assert [row["recoveries"] for row in late] == [["stop.five-refused"], []]


def test_what_was_not_judged_is_no_recovery(command) -> None:
    recorded("reports/1/zero", 1, a_failure())
    recorded("reports/2/zero", 2, a_finding("n.count"))
    recorded("reports/3/zero", 3, a_finding("n.count"), suite_version="9")
    command("history", "add", "reports/1", "reports/2", "reports/3")
    shown = command("history", "show", "zero").stdout
    assert "  - stop.five-refused fail (not judged in this run)\n" in shown
    assert shown.count("another version of the suite or of the contract") == 1


@pytest.mark.usefixtures("week")
def test_exported_runs_are_run_folders(command) -> None:
    result = command("history", "export", "zero", "--before", "2026-12-03", "--out", "out")
    assert result.exit_code == 0, result.output
    folders = [Path(line) for line in result.stdout.splitlines()]
    assert len(folders) == 2
    first = Path("reports/1/zero/run.ndjson").read_bytes()
    assert (folders[0] / "run.ndjson").read_bytes() == first
    assert command("compare", *map(str, folders)).exit_code == 1
    assert command("matrix", "out", "--format", "json", "--out", "table").exit_code == 0


@pytest.mark.usefixtures("week")
def test_tables_are_exported(command) -> None:
    pytest.importorskip("pyarrow")
    result = command("history", "export", "zero", "--parquet", "--out", "out")
    assert result.stdout == "out/runs.parquet\nout/findings.parquet\n", result.output
    assert all(path.read_bytes().startswith(b"PAR1") for path in Path("out").iterdir())


@pytest.mark.usefixtures("week")
def test_missing_extras_are_named(command, monkeypatch) -> None:
    for module in ("pyarrow", "pyarrow.parquet", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    tables = command("history", "export", "--parquet", "--out", "out")
    assert "run: pip install 'completions-conformance[parquet]'" in tables.output
    assert not any(Path("out").iterdir())
    zstd = command("history", "add", "reports/1", "--zstd")
    assert "--zstd: that needs Python 3.14 or an extra; run: pip install" in zstd.output
    assert (tables.exit_code, zstd.exit_code) == (4, 4)
    Path("run.ndjson.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    read = command("report", "run.ndjson.zst", "--out", "page")
    assert "run.ndjson.zst is compressed with zstd: that needs Python 3.14" in read.output
    for result in (tables, zstd, read):
        assert len(result.output.splitlines()) == 1


@pytest.mark.usefixtures("week")
def test_zstd_and_gzip_are_one_history(command) -> None:
    pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")
    recorded("late/zero", 6, a_failure())
    assert command("history", "add", "late", "--zstd").stdout.startswith("1 run added")
    for words in (("--zstd",), ()):
        again = command("history", "add", "late", "reports/1", *words)
        assert again.stdout == "0 runs added, 0 replaced, 3 known, 0 left out\n"
    names = [path.name for path in Path("history/runs/zero").iterdir()]
    assert sum(name.endswith(".zst") for name in names) == 1
    assert len(names) == 6
    before = command("history", "list").stdout
    assert command("history", "rebuild").stdout == "11 runs indexed\n"
    assert command("history", "list").stdout == before
    exported = command("history", "export", "zero", "--since", "2026-12-06", "--out", "out")
    place = Path(exported.stdout.strip(), "run.ndjson")
    assert place.read_bytes() == Path("late/zero/run.ndjson").read_bytes()
    (packed,) = Path("history/runs/zero").glob("*.zst")
    assert command("report", str(packed), "--out", "page").exit_code == 0
    packed.write_bytes(packed.read_bytes()[:-9])
    assert "cannot be decompressed" in command("report", str(packed), "--out", "broken").output


@pytest.mark.usefixtures("week")
def test_newer_run_replaces_the_other_compression(command) -> None:
    pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")
    text = Path("reports/1/zero/run.ndjson").read_text("utf-8")
    Path("late").mkdir()
    Path("late/run.ndjson").write_text(text.replace("T04:17:00", "T05:17:00"), "utf-8")
    added = command("history", "add", "late", "--zstd")
    assert added.stdout == "0 runs added, 1 replaced, 0 known, 0 left out\n"
    names = sorted(path.name for path in Path("history/runs/zero").iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["zst", "gz", "gz", "gz", "gz"]
    assert len(command("history", "list", "zero").stdout.splitlines()) == 5


@pytest.mark.usefixtures("week")
def test_kept_records_are_read_everywhere(command) -> None:
    one, two, *_ = sorted(Path("history/runs/zero").iterdir())
    refused = command("report", str(one))
    assert refused.exit_code == 4
    assert "name their folder with --out" in refused.output
    shown = command("report", str(one), "--out", "page", "--format", "html,json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(Path("page/results.json").read_text())["key"]["target"] == "zero"
    assert command("compare", str(one), str(two)).exit_code == 1
    again = command("report", str(one), "--rejudge", "--out", "again")
    assert "Traceback" not in again.output
    assert read_run(Path("again/run.ndjson")).header.promises is None


@pytest.mark.usefixtures("week")
def test_index_is_made_again(command) -> None:
    before = command("history", "list").stdout
    for path in Path("history").glob("index.sqlite3*"):
        path.unlink()
    assert command("history", "list").stdout == before
    Path("history/index.sqlite3").write_bytes(b"no index" * 999)
    broken = command("history", "list")
    assert broken.exit_code == 4
    assert "`conformance history rebuild` makes it again" in broken.output
    assert command("history", "rebuild").stdout == "10 runs indexed\n"
    assert command("history", "list").stdout == before


@pytest.mark.usefixtures("week")
def test_site_is_written_and_kept_up_to_date(command) -> None:
    first = command("history", "site", "--reports")
    assert first.stdout == (
        "history/site/index.html\n2 pages written, 6 reports, 0 up to date\n"
    ), first.output
    assert ET.parse("history/site/feed.xml").getroot().tag.endswith("feed")
    assert json.loads(Path("history/site/targets/zero.json").read_text())["schemaVersion"] == 1
    assert ET.parse("history/site/targets/zero.svg").getroot().tag.endswith("svg")
    recorded("reports/6/zero", 6)
    command("history", "add", "reports/6")
    again = command("history", "site", "--reports")
    assert again.stdout.endswith("1 page written, 1 report, 1 up to date\n")
    page = Path("history/site/targets/zero.html").read_text("utf-8")
    assert 'href="../reports/2026-12-02-' in page
    assert "2026-12-06" in page


@pytest.mark.usefixtures("week")
def test_site_is_made_around_a_broken_record(command) -> None:
    *_, last = sorted(Path("history/runs/zero").iterdir())
    last.write_bytes(last.read_bytes()[:-20])
    result = command("history", "site", "--out", "public")
    assert result.exit_code == 4
    assert f"{last} cannot be decompressed" in result.output
    assert not Path("public/targets/zero.svg").exists()
    assert 'href="zero.svg"' not in Path("public/targets/zero.html").read_text("utf-8")
    assert Path("public/targets/other.svg").exists()


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "reports"), "the folder reports is not empty and has no site.json"),
        (("--url", "ftp://example.com"), "is no address of a site, such as https://example.com/"),
        (("--url", "https://[::1"), "is no address of a site"),
        (("--url", "https://example.com/\n<a>"), "is no address of a site"),
        (("--url", "https://u:p@example.com/"), "is no address of a site"),
        (("--days", "0"), "0 is not in the range"),
        (("--history", "reports"), "reports is no history"),
    ],
)
def test_mistakes_about_a_site_are_said(command, words: tuple[str, ...], said: str) -> None:
    result = command("history", "site", *words)
    assert result.exit_code == 4, result.output
    assert said in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.usefixtures("week")
def test_prune_says_what_it_removes(command) -> None:
    words = ("history", "prune", "zero", "--before", "2026-12-03")
    dry = command(*words, "--dry-run")
    assert "2 runs would be removed" in dry.output
    assert len(json.loads(command("history", "list", "--format", "json").stdout)) == 10
    done = command(*words)
    assert done.stdout == dry.stdout
    assert "2 runs removed, " in done.output
    assert len(json.loads(command("history", "list", "--format", "json").stdout)) == 8


@pytest.mark.usefixtures("week")
def test_runs_are_added_once(command) -> None:
    again = command("history", "add", "reports/1", "reports/2/zero/run.ndjson")
    assert again.stdout == "0 runs added, 0 replaced, 3 known, 0 left out\n"
    recorded("late/zero", 1, a_failure())
    recorded("late/broken", 1, incomplete=True)
    result = command("history", "add", "late")
    assert "late/broken/run.ndjson is incomplete and is left out" in result.output
    assert "0 runs added, 1 replaced, 0 known, 1 left out" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list",), "there is no history history; `conformance history add DIR` begins one"),
        (
            ("list", "--history", "empty"),
            "empty is no history: it has no index.sqlite3",
        ),
        (("rebuild", "--history", "reports"), "reports is no history"),
        (("add", "missing"), "cannot read missing"),
        (("add", "empty"), "no recorded run in empty"),
        (("show", "nobody", "--history", "kept"), "no run of 'nobody' in kept"),
        (("export", "nobody", "--history", "kept", "--out", "x"), "no run in kept matches"),
        (("prune", "--history", "kept"), "name what to remove"),
        (("list", "--since", "soon"), "'soon' is no day, such as 2026-12-01 or 30d"),
        (("list", "--since", "99999999d"), "is no day"),
    ],
)
def test_mistakes_are_one_sentence(command, words: tuple[str, ...], said: str) -> None:
    recorded("reports/zero", 1)
    Path("empty").mkdir()
    assert command("history", "add", "reports", "--history", "kept").exit_code == 0
    result = command("history", *words)
    assert result.exit_code == 4, result.output
    assert said in result.output
    assert len(result.output.splitlines()) == 1
    assert not list(Path("empty").iterdir())


def test_damaged_record_does_not_stop_others(command) -> None:
    recorded("reports/a", 1)
    recorded("reports/b", 1)
    Path("reports/a/run.ndjson").write_bytes(b"\xff\x00garbage")
    result = command("history", "add", "reports")
    assert result.exit_code == 4
    assert "1 run added, 0 replaced, 0 known, 1 left out" in result.output
    assert "reports/a/run.ndjson" in result.output
    assert "b" in command("history", "list").output


def test_damaged_record_is_not_exported(command) -> None:
    recorded("reports/a", 1)
    recorded("reports/b", 1)
    command("history", "add", "reports")
    (kept,) = Path("history/runs/a").iterdir()
    kept.write_bytes(kept.read_bytes()[:-20])
    result = command("history", "export", "--out", "out")
    assert result.exit_code == 4
    assert f"{kept} cannot be decompressed" in result.output
    assert [path.name[0] for path in Path("out").iterdir()] == ["b"]


def test_folder_without_runs_adds_nothing(command) -> None:
    recorded("reports/a", 1)
    Path("empty").mkdir()
    assert command("history", "add", "reports", "empty").exit_code == 4
    assert not Path("history").exists()


def test_unwritable_history_says_what_helps(command, monkeypatch) -> None:
    recorded("reports/a", 1)
    command("history", "add", "reports")

    def readonly(*_: Any, **__: Any) -> None:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DIRECTORY
        raise error

    monkeypatch.setattr("conformance.history.index.sqlite3.connect", readonly)
    for words in (("list",), ("rebuild",)):
        result = command("history", *words)
        assert result.exit_code == 4
        assert "use an account that can write there, or a copy of the folder" in result.output
    assert Path("history/index.sqlite3").exists()


def test_nothing_found_is_said(command) -> None:
    recorded("reports/zero", 1)
    command("history", "add", "reports")
    result = command("history", "list", "--before", "2020-01-01")
    assert result.exit_code == 0
    assert "no run in history matches" in result.output
