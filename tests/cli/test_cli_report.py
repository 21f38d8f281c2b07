"""``conformance report``: rendering, PDF and replay."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import __version__
from conformance.cli import pdf
from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError
from conformance.model import Run, Verdict
from conformance.record.ndjson import read_run, write_run
from tests.cli.endpoints import NAMED, WithoutStop
from tests.report.builders import a_finding, a_run

SMOKE = ("--tier", "smoke", "--reference", "none")


@pytest.fixture
def record(command, fake) -> Path:
    """The record of a run that found deviations."""
    fake(WithoutStop)
    assert command("run", *NAMED, *SMOKE, "--out", "run").exit_code == 1
    return Path("run/run.ndjson")


def verdicts(run: Run) -> dict[str, Verdict]:
    return {finding.id: finding.verdict for finding in run.findings}


def test_replayed_record_gets_a_separate_folder(command, record: Path) -> None:
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    result = command("report", "run", "--rejudge")
    assert result.exit_code == 1
    assert {path: path.read_bytes() for path in before} == before
    again = read_run(Path("run/rejudged/run.ndjson"))
    assert verdicts(again) == verdicts(read_run(record))
    assert again.header.recorded_by == __version__
    assert result.output.splitlines()[-1] == "run/rejudged/index.html"


def test_every_report_names_the_judging_version(command, record: Path) -> None:
    run = read_run(record)
    older = replace(run, header=replace(run.header, suite_version="0.0.1"))
    write_run(older, record)
    words = ("--rejudge", "--format", "html,junit,json,markdown", "--lang", "en")
    result = command("report", "run", *words)
    reported = (
        f"Recorded by suite version 0.0.1, re-evaluated from the record by version {__version__}"
    )
    assert reported in result.output
    folder = Path("run/rejudged")
    assert reported in (folder / "index.html").read_text()
    assert reported in (folder / "summary.md").read_text()
    assert 'name="recorded_by" value="0.0.1"' in (folder / "junit.xml").read_text()
    results = json.loads((folder / "results.json").read_text())
    assert (results["recorded_by"], results["suite_version"]) == ("0.0.1", __version__)
    # A run that was not replayed has no such sentence.
    assert "judged again" not in command("report", "run").output


def test_own_record_is_never_overwritten(command, record: Path) -> None:
    kept = record.read_bytes()
    result = command("report", "run", "--rejudge", "--out", "run")
    assert result.exit_code == 4
    assert "choose another folder with --out" in result.output
    assert record.read_bytes() == kept


def test_replayed_incomplete_record_stays_incomplete(command, record: Path) -> None:
    write_run(replace(read_run(record), footer=None), record)
    result = command("report", "run", "--rejudge", "--format", "json")
    assert result.exit_code == 2
    assert json.loads(Path("run/rejudged/results.json").read_text())["complete"] is False


def test_custom_contract_must_be_passed(command, record: Path) -> None:
    run = read_run(record)
    write_run(replace(run, header=replace(run.header, contract="mine")), record)
    result = command("report", "run", "--rejudge")
    assert result.exit_code == 4
    assert "the run used the contract 'mine': pass its path with --contract" in result.output
    assert command("report", "run", "--rejudge", "--contract", "openai").exit_code == 1
    assert command("report", "run", "--contract", "openai").exit_code == 4
    assert command("report", "run", "--rejudge", "--contract", "yours").exit_code == 4


@pytest.mark.parametrize("when", ["", "yesterday", "2026-13-01T00:00:00"])
def test_record_without_a_date_is_named(command, record: Path, when: str) -> None:
    run = read_run(record)
    write_run(replace(run, header=replace(run.header, started_at=when)), record)
    result = command("report", "run", "--rejudge")
    assert result.exit_code == 4
    assert f"{when!r} is not a valid start time of a run" in result.output


def test_incomplete_run_is_marked_in_every_format(command) -> None:
    Path("run").mkdir()
    write_run(a_run(a_finding(), incomplete=True), Path("run/run.ndjson"))
    words = ("--format", "html,junit,json,markdown", "--lang", "en")
    assert "Incomplete." in command("report", "run", *words).output
    assert "This run is incomplete" in Path("run/index.html").read_text()
    assert "## Incomplete" in Path("run/summary.md").read_text()
    assert '<error message="The run ended early' in Path("run/junit.xml").read_text()
    results = json.loads(Path("run/results.json").read_text())
    assert (results["verdict"], results["complete"]) == ("broken off", False)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_page_is_printed_as_pdf(command) -> None:
    Path("run").mkdir()
    write_run(a_run(a_finding()), Path("run/run.ndjson"))
    result = command("report", "run", "--format", "pdf,html")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-2:] == ["run/report.pdf", "run/index.html"]
    assert Path("run/report.pdf").read_bytes().startswith(b"%PDF-")


def test_missing_chromium_is_reported_before_anything_is_written(
    command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("run").mkdir()
    write_run(a_run(a_finding()), Path("run/run.ndjson"))
    monkeypatch.setenv("PATH", "")
    result = command("report", "run", "--format", "pdf,html")
    assert result.exit_code == 4
    assert "--format pdf needs Chromium, which is not installed" in result.output
    assert not Path("run/index.html").exists()


def a_browser(script: str) -> str:
    """Make a program that stands in for the browser; ``$out`` is the file to print to."""
    program = Path("browser").absolute()
    words = 'for word in "$@"; do case $word in --print-to-pdf=*) out=${word#*=};; esac; done'
    program.write_text(f"#!/bin/sh\n{words}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 3", "could not print the page (exit code 3)"),
        ("exit 0", "wrote no PDF"),
        ("sleep 60", "did not print the page within 1 s"),
    ],
)
def test_failing_browser_is_reported_in_a_sentence(script: str, sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        pdf.print_page("<p>", Path("x.pdf"), program=a_browser(script), seconds=1)
    assert sentence in raised.value.message
    assert not Path("x.pdf").exists()


def test_no_browser_process_or_file_remains() -> None:
    script = 'sleep 60 & echo $! > "$PWD/child"; printf printed > "$out"'
    pdf.print_page("<p>", Path("x.pdf"), program=a_browser(script))
    assert Path("x.pdf").read_text() == "printed"
    child = Path("child").read_text().strip()
    # A signal is on its way when the call returns, and a busy machine delivers it later.
    gone = 'until case "$(ps -o stat= -p "$0")" in ""|Z*) ;; *) false; esac; do sleep 0.05; done'
    assert subprocess.run(["timeout", "30", "sh", "-c", gone, child], check=False).returncode == 0


def test_unwritable_pdf_is_named() -> None:
    with pytest.raises(WriteError, match=r"cannot write no/where.pdf: No such file"):
        pdf.print_page("<p>", Path("no/where.pdf"), program=a_browser('printf x > "$out"'))
