"""The wheel works outside the checkout and contains spec, schema, templates and weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.contract import CONTRACTS

ROOT = Path(__file__).parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it where nothing of the checkout can be reached."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    return site


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Run a module of the unpacked wheel from an empty folder."""
    # PYTHONPATH comes before the environment's site-packages, so the wheel's copy is the one found.
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_both_packages_are_imported_from_the_wheel(run: Run, installed: Path) -> None:
    code = "import conformance, reference_server as r; print(conformance.__file__, r.__file__)"
    first, second = run("-c", code).stdout.split()
    assert first.startswith(str(installed))
    assert second.startswith(str(installed))


def test_schemas_are_in_the_wheel(installed: Path) -> None:
    for name in ("record/run.schema.json", "report/results.schema.json"):
        assert json.loads((installed / "conformance" / name).read_text("utf-8"))["$id"]


def test_every_contract_loads_from_the_wheel(run: Run) -> None:
    code = "from conformance.contract import *; print(*(load_contract(c).name for c in CONTRACTS))"
    loaded = run("-c", code)
    assert loaded.stdout.split() == list(CONTRACTS), loaded.stderr
    planned = run("-m", "conformance", "plan", "--format", "json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["requests"] > 0


def test_pages_are_in_the_wheel(run: Run) -> None:
    result = run("-m", "conformance", "documents", "--only", "lint", "--format", "json")
    assert result.returncode == 0, result.stderr
    documents = json.loads(result.stdout)["documents"]
    assert [document["document"] for document in documents if document["findings"]] == [
        *("zero", "gpt-ge", "aocheng", "zhizengzeng", "eronmind")
    ]


def test_example_is_replayed_from_the_wheel(run: Run) -> None:
    result = run("-m", "conformance", "documents", "gpt-ge", "--only", "replay", "--format", "json")
    assert result.returncode == 0, result.stderr
    (page,) = json.loads(result.stdout)["documents"]
    assert [replayed["outcome"] for replayed in page["replays"]] == ["met"] * 3


def test_server_and_suite_run_from_the_wheel(run: Run, tmp_path: Path) -> None:
    finished = run("-m", "conformance", "run", "--tier", "smoke", "--out", "report")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert json.loads((tmp_path / "report" / "results.json").read_text())["verdict"] == "conforming"
    assert (tmp_path / "report" / "index.html").stat().st_size > 0
