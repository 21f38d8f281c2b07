"""The worked example: checks of another package appear everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.installed import install
from tests.servers import RunningServer, running_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-checks"
MODEL = "gpt-3.5-turbo-instruct"
CHECKS = {"acme.json-echoed", "acme.model-everywhere"}
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a module of Python in an environment that has the example installed."""
    site = tmp_path_factory.mktemp("site")
    install(EXAMPLE, site)

    def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(site), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_own_checks_are_listed_and_explained(run: Run, tmp_path: Path) -> None:
    listed = run("conformance", "list", "--select", "acme.*", "--json", cwd=tmp_path)
    assert {check["id"] for check in json.loads(listed.stdout)} == CHECKS
    result = run("conformance", "explain", "acme.json-echoed", cwd=tmp_path).stdout
    assert "acme.json-unchanged" in result
    assert "our prompts are JSON documents" in result
    assert "Code, in acme_checks" in result


def test_own_checks_are_judged_and_reported(run: Run, tmp_path: Path) -> None:
    selected = ("--select", "acme.*", "--select", "stop.five-refused", "--tier", "smoke")
    ended = run(
        "conformance", "run", *selected, "--reference", "none", "--out", "report", cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    verdicts = {finding["id"]: finding["verdict"] for finding in results["findings"]}
    assert verdicts == dict.fromkeys([*CHECKS, "stop.five-refused"], "pass")
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "A JSON prompt is echoed unchanged before the completion." in page
    assert "JSON 格式的 prompt 原样回显在补全内容之前。" in page


def test_own_checks_find_their_fault(run: Run, tmp_path: Path) -> None:
    with running_server("--fault", "model-of-upstream") as server:
        ended = run(
            *("conformance", "run", "--base-url", server.base_url, "--model", MODEL),
            *("--api-key-env", "KEY", "--select", "acme.*", "--tier", "smoke"),
            *("--reference", "none", "--out", "report"),
            cwd=tmp_path,
            KEY=server.key,
        )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    (finding,) = [found for found in results["findings"] if found["verdict"] == "fail"]
    assert finding["requirement"] == "acme.model-as-asked"


def test_own_checks_and_tests_run_in_pytest(
    run: Run, server: RunningServer, tmp_path: Path
) -> None:
    ended = run(
        *("pytest", "-v", "-p", "no:cacheprovider", str(EXAMPLE / "tests"), "--rootdir=."),
        *("-p", "no:schemathesis", "-p", "no:langsmith_plugin"),
        *("--conformance-base-url", server.base_url, "--conformance-model", MODEL),
        *("--conformance-api-key-env", "KEY", "--conformance-select", "acme.*"),
        cwd=tmp_path,
        KEY=server.key,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for name in CHECKS:
        assert f"conformance::{name}" in ended.stdout
    assert "test_chinese_prompt_is_continued PASSED" in ended.stdout
    assert "4 passed" in ended.stdout
