"""``conformance compare``: two folders or files in, a sentence and an exit code out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.model import Run
from conformance.record.ndjson import write_run
from tests.report.builders import a_failure, a_finding, a_run

GOOD, BAD = a_run(a_finding()), a_run(a_failure())
UNSURE = a_run(a_finding(verdict="inconclusive"))
CUT = a_run(a_finding(), incomplete=True)


def keep(run: Run, name: str) -> str:
    folder = Path(name)
    folder.mkdir()
    write_run(run, folder / "run.ndjson")
    return name


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        (GOOD, GOOD, 0, "No regressions."),
        (GOOD, BAD, 1, "Regressions. 1 check regressed;"),
        (BAD, GOOD, 0, "1 check fixed"),
        (GOOD, UNSURE, 3, "1 check now inconclusive"),
        (GOOD, CUT, 3, "The newer run is incomplete"),
        (CUT, BAD, 1, "The older run is incomplete"),
        (UNSURE, GOOD, 5, "there is nothing to compare"),
    ],
)
def test_outcome_is_a_sentence_and_an_exit_code(
    command, old: Run, new: Run, code: int, said: str
) -> None:
    result = command("compare", keep(old, "old"), keep(new, "new") + "/run.ndjson")
    assert result.exit_code == code, result.output
    assert said in result.output
    assert [path.name for path in Path("new").iterdir()] == ["run.ndjson"]


def test_files_are_written_beside_the_newer_record(command) -> None:
    words = (keep(GOOD, "old"), keep(BAD, "new"), "--format", "html,json,markdown")
    result = command("compare", *words)
    written = [Path(line) for line in result.output.splitlines()[-3:]]
    assert written == [Path("new", f"compare.{kind}") for kind in ("json", "md", "html")]
    assert json.loads(written[0].read_text())["exit_code"] == result.exit_code == 1


def test_page_links_to_the_reports_from_any_folder(command) -> None:
    old, new = keep(GOOD, "old run"), keep(BAD, "new")
    for name in (old, new):
        command("report", name, "--format", "html")
    command("compare", old, new, "--format", "html", "--out", "deep/er")
    page = Path("deep/er/compare.html").read_text()
    assert 'href="../../new/index.html#stop.five-refused"' in page
    assert 'href="../../old%20run/index.html"' in page
    assert (Path("deep/er") / "../../new/index.html").is_file()


def test_language_is_the_option_or_the_locale(command, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = keep(GOOD, "old"), keep(BAD, "new")
    assert "退化" in command("compare", old, new, "--lang", "zh").output
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "退化" in command("compare", old, new).output
    assert "Regressions" in command("compare", old, new, "--lang", "en").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere", "new"), "cannot read nowhere"),
        (("new",), "Missing argument 'NEW'"),
        (("new", "new", "--format", "junit"), "unknown format 'junit'; choose from html, json"),
        (("new", "new", "--format", ","), "give at least one of html"),
        (("new", "new", "--out", "x"), "--out requires --format"),
        (("new", "new", "--lang", "fr"), "'fr' is not one of"),
        (("new", "new", "--format", "json", "--out", "new/run.ndjson"), "cannot create the folder"),
    ],
)
def test_wrong_usage_ends_with_one_sentence_and_4(command, words, sentence: str) -> None:
    keep(GOOD, "new")
    result = command("compare", *words)
    assert result.exit_code == 4
    assert result.output.splitlines()[-1].startswith("conformance: ")
    assert sentence in result.output


def test_broken_pipe_is_no_verdict(process, tmp_path: Path) -> None:
    names = [f"stop.n{number:05}" for number in range(5_000)]
    for name, made in (("old", a_finding), ("new", a_failure)):
        (tmp_path / name).mkdir()
        write_run(a_run(*map(made, names)), tmp_path / name / "run.ndjson")
    ended = process("compare", "old", "new")
    assert ended.returncode == 1
    assert ended.stderr == ""
