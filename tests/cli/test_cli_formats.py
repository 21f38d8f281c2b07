"""``--format``: names, files, standard output; and what GitHub Actions is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.record.ndjson import write_run
from tests.cli.endpoints import NAMED, WithoutStop
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.ci.validity import mistakes_in_har, mistakes_in_sarif

SMOKE = ("--tier", "smoke", "--reference", "none", "--select", "stop.*")
TARGETS = """\
# two targets
[targets.one]
base-url = "http://one.example/v1"
model = "tiny"

[targets.two]
base-url = "http://two.example/v1"
model = "tiny"
"""


@pytest.fixture
def recorded() -> Path:
    """The folder of a run with one failure."""
    Path("run").mkdir()
    write_run(a_run(a_failure(), a_finding("stop.good")), Path("run/run.ndjson"))
    return Path("run")


def test_every_format_is_written_into_the_folder(command, recorded: Path) -> None:
    result = command("report", "run", "--format", "sarif,gitlab,tap", "--format", "har,html")
    assert result.exit_code == 0, result.output
    written = {path.name for path in recorded.iterdir()} - {"run.ndjson"}
    assert written == {
        *("report.sarif", "gl-code-quality-report.json", "results.tap", "exchanges.har"),
        "index.html",
    }
    assert mistakes_in_sarif(json.loads((recorded / "report.sarif").read_text())) == []
    assert mistakes_in_har(json.loads((recorded / "exchanges.har").read_text())) == []


def test_format_goes_to_a_named_file(command, recorded: Path) -> None:
    result = command("report", "run", "--format", "sarif=build/ci/out.sarif,json")
    assert result.output.splitlines()[-2:] == ["build/ci/out.sarif", "run/results.json"]
    assert json.loads(Path("build/ci/out.sarif").read_text())["version"] == "2.1.0"


def test_dash_leaves_standard_output_to_the_format(process, recorded: Path) -> None:
    result = process("report", "run", "--format", "gitlab=-")
    assert [one["check_name"] for one in json.loads(result.stdout)] == ["stop.five-refused"]
    assert "Not conforming" in result.stderr
    assert {path.name for path in recorded.iterdir()} == {"run.ndjson"}


def test_run_writes_named_formats(command, fake) -> None:
    fake(WithoutStop)
    result = command("run", *NAMED, *SMOKE, "--out", "out", "--format", "json,sarif=out.sarif")
    assert result.exit_code == 1
    results = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert {one["level"] for one in results} == {"error"}
    where = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert where == "spec/documents/openai.yaml"


def test_targets_share_a_file_and_have_their_lines(command, fake) -> None:
    fake(WithoutStop)
    Path("conformance.toml").write_text(TARGETS)
    named = "sarif=all.sarif,tap={target}.tap"
    result = command("run", *SMOKE, "--out", "out", "--format", named)
    assert result.exit_code == 1, result.output
    runs = json.loads(Path("all.sarif").read_text())["runs"]
    places = [run["results"][0]["locations"][0]["physicalLocation"] for run in runs]
    assert [place["artifactLocation"]["uri"] for place in places] == ["conformance.toml"] * 2
    assert [place["region"]["startLine"] for place in places] == [2, 6]
    assert Path("one.tap").read_text().startswith("TAP version 14")
    assert Path("two.tap").exists()


def test_paths_start_at_the_checkout(
    command, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(a_run(a_failure(), target="two"), recorded / "run.ndjson")
    Path("conformance.toml").write_text(TARGETS)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd().parent))
    command("report", "run", "--format", "gitlab")
    (entry,) = json.loads((recorded / "gl-code-quality-report.json").read_text())
    assert entry["location"] == {
        "path": f"{Path.cwd().name}/conformance.toml",
        "lines": {"begin": 6},
    }


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("sariff", "unknown format 'sariff'; choose from html, junit, json, markdown, sarif"),
        ("sarif=", "sarif= has no path; name a file, or - for standard output"),
        (",", "give at least one of html"),
        ("sarif=-,json=-", "two formats cannot both be written to -"),
        ("pdf=a.pdf", "--format pdf takes no path; choose its folder with --out"),
    ],
)
def test_wrong_format_is_told_in_a_sentence(
    command, recorded: Path, named: str, sentence: str
) -> None:
    result = command("report", "run", "--format", named)
    assert result.exit_code == 4
    assert sentence in result.output


def test_one_file_for_two_targets_is_refused(command) -> None:
    Path("conformance.toml").write_text(TARGETS)
    result = command("run", "--format", "junit=all.xml")
    assert result.exit_code == 4
    assert "names one file for 2 targets; put {target} into the path" in result.output


def test_unwritable_file_does_not_stop_the_others(command, recorded: Path) -> None:
    Path("file").write_text("")
    result = command("report", "run", "--format", "sarif=file/x.sarif,tap=ok.tap")
    assert result.exit_code == 4
    assert "cannot write file/x.sarif" in result.output
    assert Path("ok.tap").exists()


def test_actions_gets_annotations_and_a_summary(
    command, fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(WithoutStop)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("before\n")
    result = command("run", *NAMED, *SMOKE, "--out", "out")
    commands = [line for line in result.output.splitlines() if line.startswith("::")]
    assert commands
    assert all(line.startswith("::error file=spec/documents/openai.yaml,") for line in commands)
    written = Path("summary.md").read_text()
    assert written.startswith("before\n## Not conforming")


def test_unwritable_summary_is_no_failure(command, fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/such/folder/summary.md")
    result = command("run", *NAMED, *SMOKE, "--out", "out")
    assert result.exit_code == 0
    assert "cannot write the job's summary to $GITHUB_STEP_SUMMARY: No such file" in result.output


def test_hostile_text_is_no_command(process, recorded: Path) -> None:
    attack = "x\n::error::injected\n##[error]injected\n::stop-commands::t"
    run = a_run(a_failure(seen=attack, message=attack), target="\n::debug::x")
    write_run(run, recorded / "run.ndjson")
    words = ("report", "run", "--verbose", "--format", "markdown=-")
    told = process(*words, GITHUB_ACTIONS="true")
    for line in (told.stdout + told.stderr).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
