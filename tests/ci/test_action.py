"""The action's steps, run as GitHub runs them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.workflow import ACTION, Job, run_action
from tests.lanes import exhaustive
from tests.report.ci.validity import mistakes_in_action, mistakes_in_sarif
from tests.servers import DEMO_KEY, RunningServer, running_server

UPLOAD, KEEP = "github/codeql-action/upload-sarif", "actions/upload-artifact"
MODEL = "gpt-3.5-turbo-instruct"
CHEAP = "--select=stop.five-refused\n--reference=none"


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]
    return found


def run(checkout: Path, url: str, *, install: bool = False, **given: str) -> Job:
    """Run the action with cheap options; the names of inputs have underscores here."""
    inputs = {"base-url": url, "model": MODEL, "key": DEMO_KEY, "tier": "smoke", "args": CHEAP}
    inputs |= {name.replace("_", "-"): value for name, value in given.items()}
    temp = checkout.parent / "temp"
    temp.mkdir(exist_ok=True)
    skip = () if install else ("Install",)
    return run_action(ACTION, inputs, workspace=checkout, temp=temp, skip=skip)


def test_metadata_is_valid() -> None:
    assert mistakes_in_action(yaml.safe_load(ACTION.read_text("utf-8"))) == []


def test_inputs_are_no_part_of_scripts() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


def test_conforming_endpoint_passes(checkout: Path, server: RunningServer) -> None:
    job = run(checkout, server.base_url, upload_sarif="true")
    assert job.code == 0, job.log
    assert job.outputs["exit-code"] == "0"
    assert job.summary.startswith("## Conforming")
    assert DEMO_KEY not in job.log
    assert job.used[KEEP] == {
        "name": "conformance-report",
        "path": "conformance-report",
        "if-no-files-found": "ignore",
    }
    sarif = checkout / job.used[UPLOAD]["sarif_file"]
    assert mistakes_in_sarif(json.loads(sarif.read_text())) == []
    assert (checkout / job.outputs["report"] / "index.html").exists()


def test_deviation_fails_and_is_annotated(checkout: Path, broken: RunningServer) -> None:
    job = run(checkout, broken.base_url, upload_sarif="true")
    assert job.code == 1, job.log
    annotations = [line for line in job.log.splitlines() if line.startswith("::error ")]
    assert ["title=stop.five-refused::" in line for line in annotations] == [True]
    assert "stop.five-refused" in job.summary
    assert UPLOAD in job.used
    assert KEEP in job.used


def test_inconclusive_run_updates_nothing(checkout: Path) -> None:
    job = run(checkout, "http://127.0.0.1:9/v1", upload_sarif="true")
    assert (job.code, job.outputs["exit-code"]) == (3, "3")
    assert UPLOAD not in job.used
    assert "::error file=spec/documents/openai.yaml,line=1,title=openai::" in job.log


def test_fail_on_decides() -> None:
    (verdict,) = [step for step in steps() if step.get("name") == "Verdict"]

    def code(fail_on: str, ended: int) -> int:
        environment = {"PATH": os.environ["PATH"], "FAIL_ON": fail_on, "CODE": str(ended)}
        script = ["bash", "-e", "-c", verdict["run"]]
        return subprocess.run(script, env=environment, capture_output=True, check=False).returncode

    ways = ("any", "deviation", "never")
    assert [[code(way, ended) for ended in range(6)] for way in ways] == [
        [0, 1, 2, 3, 4, 5],
        [0, 1, 2, 0, 4, 5],
        [0, 0, 2, 0, 4, 5],
    ]
    assert code("sometimes", 0) == 4


def test_wrong_use_fails_whatever_is_wanted(checkout: Path) -> None:
    job = run(checkout, "http://127.0.0.1:9/v1", args="--no-such-option", fail_on="never")
    assert job.code == 4
    assert "No such option" in job.log


def test_inputs_are_no_commands(checkout: Path, server: RunningServer) -> None:
    attack = '"; touch pwned; echo "$(touch pwned)`touch pwned`'
    job = run(checkout, server.base_url, contract=attack, model=f"x{attack}")
    assert job.code == 4
    assert not (checkout / "pwned").exists()


def test_targets_of_the_file_are_tested(
    checkout: Path, broken: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", DEMO_KEY)
    (checkout / "conformance.toml").write_text(
        f'\n[targets.mine]\nbase-url = "{broken.base_url}"\nmodel = "{MODEL}"\n'
        'api-key-env = "VENDOR_KEY"\n'
    )
    job = run(checkout, "", model="", key="")
    assert job.code == 1, job.log
    assert "::error file=conformance.toml,line=2,title=stop.five-refused::" in job.log
    log = json.loads((checkout / job.outputs["sarif"]).read_text())
    assert [len(one["results"]) for one in log["runs"]] == [1]


def test_expected_deviation_passes_as_a_notice(checkout: Path, broken: RunningServer) -> None:
    entry = "- check: stop.five-refused\n  reason: the vendor mends it\n"
    (checkout / "known.yaml").write_text(entry)
    job = run(checkout, broken.base_url, expected="known.yaml")
    assert job.code == 0, job.log
    notices = [line for line in job.log.splitlines() if line.startswith("::notice ")]
    assert ["::Expected (the vendor mends it): " in line for line in notices] == [True]
    (log,) = json.loads((checkout / job.outputs["sarif"]).read_text())["runs"]
    (result,) = log["results"]
    assert result["suppressions"][0]["justification"] == "the vendor mends it"


@exhaustive
def test_gate_is_red_when_something_changes(checkout: Path) -> None:
    five = ("created-missing", "echo-dropped", "id-of-a-chat", "n-ignored", "stop-ignored")
    file = checkout / "known.yaml"
    reports = count()

    def gate(faults: Sequence[str], *more: str) -> Job:
        given = [word for fault in faults for word in ("--fault", fault)]
        words = "\n".join(("--reference=none", "--select=*", *more))
        with running_server(*given) as server:
            report = f"report-{next(reports)}"
            return run(checkout, server.base_url, args=words, expected="known.yaml", report=report)

    file.write_text("# our vendor\n")
    assert gate(five).code == 1
    assert gate(five, "--expected-update").code == 0
    file.write_text(file.read_text().replace("TODO", "the vendor mends it"))
    assert gate(five).code == 0
    sixth = gate((*five, "model-missing"))
    errors = [line for line in sixth.log.splitlines() if line.startswith("::error ")]
    assert sixth.code == 1
    assert errors
    assert all("title=envelope.model" in line for line in errors)
    mended = gate(five[1:])
    assert mended.code == 1
    assert "::error file=known.yaml,line=" in mended.log
    assert "title=expected.stale" in mended.log
    gate(five[1:], "--expected-prune")
    assert gate(five[1:]).code == 0


@exhaustive
def test_action_installs_itself(
    checkout: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    job = run(checkout, server.base_url, install=True)
    assert job.code == 0, job.log
    assert (checkout.parent / "temp" / "conformance-venv" / "bin" / "conformance").exists()
