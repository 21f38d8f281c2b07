"""Every block of docs/ci.md does what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from conformance.cli import main
from tests.ci.test_action import CHEAP, MODEL
from tests.ci.workflow import ACTION, ROOT, run_action
from tests.servers import DEMO_KEY, RunningServer

GUIDE = ROOT / "docs" / "ci.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def blocks_of(section: str) -> list[tuple[str, str]]:
    """Return language and text of the blocks below a heading."""
    parts = HEADING.split(GUIDE.read_text("utf-8"))
    return BLOCK.findall(dict(zip(parts[1::2], parts[2::2], strict=True))[section])


@pytest.fixture
def shell(checkout: Path, broken: RunningServer, monkeypatch: pytest.MonkeyPatch):
    """Run a script in the checkout with the variables that the guide names."""
    known = {"BASE_URL": broken.base_url, "MODEL": MODEL, "VENDOR_KEY": DEMO_KEY}
    for name, value in {**known, "CONFORMANCE": str(ROOT)}.items():
        monkeypatch.setenv(name, value)

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", script],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


def assert_found(report: Path) -> None:
    """The report has the finding, and none of its files the key."""
    suites = ET.parse(report / "junit.xml").getroot()
    failed = [
        case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["stop.five-refused"]
    assert DEMO_KEY not in "".join(path.read_text("utf-8") for path in report.iterdir())


def assert_installed(tmp_path: Path) -> None:
    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert calls[0] == f"pip install {ROOT}"


def test_every_block_has_its_test() -> None:
    parts = HEADING.split(GUIDE.read_text("utf-8"))
    found = [
        name for name, text in zip(parts[1::2], parts[2::2], strict=True) if BLOCK.search(text)
    ]
    assert set(found) == {*TESTED, *WITH_CONSOLE}


def test_github_workflow_runs(checkout: Path, broken: RunningServer) -> None:
    (_, text), _ = blocks_of("GitHub")
    steps = yaml.safe_load(text)["jobs"]["conformance"]["steps"]
    (given,) = [step["with"] for step in steps if "completions-conformance" in step["uses"]]
    temp = checkout.parent / "temp"
    temp.mkdir()
    theirs = {"base-url": broken.base_url, "model": MODEL, "key": DEMO_KEY}
    assert theirs.keys() <= given.keys()
    inputs = {**given, **theirs, "args": CHEAP}
    job = run_action(ACTION, inputs, workspace=checkout, temp=temp, skip=("Install",))
    assert job.code == 1, job.log
    assert_found(checkout / job.outputs["report"])
    assert "github/codeql-action/upload-sarif" in job.used


def test_github_steps_run(shell, checkout: Path, tmp_path: Path) -> None:
    _, (_, text) = blocks_of("GitHub")
    for step in yaml.safe_load(text):
        last = shell(step["run"])
    assert last.returncode == 1, last.stderr
    assert_installed(tmp_path)
    assert_found(checkout / "report")


def test_gitlab_template_runs(shell, checkout: Path, tmp_path: Path) -> None:
    ((_, text),) = blocks_of("GitLab")
    job: dict[str, Any] = yaml.safe_load(text)["conformance"]
    ended = shell("\n".join(job["script"]))
    assert ended.returncode == 1, ended.stderr
    assert_installed(tmp_path)
    assert_found(checkout / "report")
    named = job["artifacts"]["reports"]
    assert (checkout / named["junit"]).exists()
    (entry,) = json.loads((checkout / named["codequality"]).read_text())
    assert (entry["check_name"], entry["severity"]) == ("stop.five-refused", "critical")


def test_jenkins_pipeline_runs(shell, checkout: Path, tmp_path: Path) -> None:
    ((_, text),) = blocks_of("Jenkins")
    ended = [shell(script) for script in re.findall(r"sh '(.+)'", text)]
    assert [one.returncode for one in ended] == [0, 1]
    assert_installed(tmp_path)
    assert_found(checkout / "report")
    (junit,) = re.findall(r"junit '(.+)'", text)
    assert (checkout / junit).exists()


def test_shell_script_runs(shell, checkout: Path, tmp_path: Path) -> None:
    ((_, text),) = blocks_of("Any shell")
    ended = shell(text)
    assert ended.returncode == 1, ended.stderr
    assert_installed(tmp_path)
    assert_found(checkout / "report")
    assert (checkout / "results.tap").read_text().startswith("TAP version 14")


def test_container_runs(shell, checkout: Path, tmp_path: Path) -> None:
    ((_, text),) = blocks_of("A container")
    ended = shell(text)
    assert ended.returncode == 1, ended.stderr
    assert_found(checkout / "report")
    build, run = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert build == f"docker build -t conformance {ROOT}"
    assert "-e VENDOR_KEY" in run
    assert DEMO_KEY not in run


def test_commands_run(
    checkout: Path, broken: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"BASE_URL": broken.base_url, "MODEL": MODEL, "VENDOR_KEY": DEMO_KEY}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    target = f'base-url = "{broken.base_url}"\nmodel = "{MODEL}"\napi-key-env = "VENDOR_KEY"\n'
    (checkout / "conformance.toml").write_text(f'[targets.mine]\n{target}tier = "smoke"\n')

    def conformance(line: str) -> Result:
        words = shlex.split(os.path.expandvars(line), comments=True)
        assert words[0] == "conformance", line
        no_other_server = ["--reference", "none"] if words[1] == "run" else []
        return CliRunner().invoke(main, [*words[1:], *no_other_server])

    first = "conformance run --select stop.five-refused --tier smoke --out first"
    assert conformance(first).exit_code == 1
    for name in ("report", "baseline", "new"):
        shutil.copytree(checkout / "first" / "mine", checkout / name)
    ((_, known), _) = blocks_of("Known deviations")
    (checkout / "known.yaml").write_text(known)
    for section in WITH_CONSOLE:
        for language, text in blocks_of(section):
            for line in text.splitlines() if language == "console" else ():
                ended = conformance(line.removeprefix("$ "))
                assert ended.exit_code in {0, 1}, f"{line}\n{ended.output}"
    assert json.loads((checkout / "conformance.sarif").read_text())["runs"]
    assert (checkout / "public" / "badge.svg").exists()
    assert (checkout / "known.yaml").read_text() == known
    quick = "conformance run --select stop.five-refused --tier smoke --expected known.yaml"
    assert conformance(quick).exit_code == 0


TESTED = ("GitHub", "GitLab", "Jenkins", "Any shell", "A container")
WITH_CONSOLE = (
    "Known deviations",
    "Files that other tools read",
    "Only some checks",
    "Regressions only",
)
"""Sections whose blocks are commands in a terminal."""
