"""Following CONTRIBUTING.md step by step adds a complete requirement."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STEP = re.compile(
    r"goes to the end of (?:its area, `(\w+)`, in )?`([^`]+)`:\n\n```\w+\n(.*?)```", re.DOTALL
)
NEW_LINES = 40
FILES = 4
CHECK, FAULT = "usage.reasoning-within-completion", "reasoning-over-completion"


@dataclass(frozen=True)
class Step:
    """What goes to the end of a file, or of an area in it."""

    area: str
    path: str
    text: str

    @property
    def lines(self) -> int:
        """New lines, those that stay empty among them."""
        return self.text.count("\n") + (1 if self.area else 2)

    def taken(self, before: str) -> str:
        """The file after the step."""
        if not self.area:
            return f"{before}\n\n{self.text}"
        area = before.index(f"# ── {self.area} ")
        end = before.index("\n  # ── ", area)
        return f"{before[:end]}\n{self.text}{before[end:]}"


def steps() -> list[Step]:
    """The steps as the page has them."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return [Step(*found) for found in STEP.findall(page)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the walk-through was done."""
    copy = tmp_path_factory.mktemp("walk") / "tree"
    # What a checkout has: neither environments nor reports, nor anything else that is made.
    made = shutil.ignore_patterns(".*", "build", "dist", "node_modules", "__pycache__", "*.ndjson")
    shutil.copytree(ROOT, copy, ignore=made)
    for step in steps():
        path = copy / step.path
        path.write_text(step.taken(path.read_text("utf-8")), "utf-8")
    return copy


def run(tree: Path, *command: str) -> str:
    """Run a Python module in the copy, which comes before what is installed."""
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return ended.stdout


def test_template_takes_few_lines_in_few_files() -> None:
    assert len(steps()) == len({step.path for step in steps()}) == FILES
    assert sum(step.lines for step in steps()) <= NEW_LINES


def test_template_fault_is_found_without_false_positives(tree: Path) -> None:
    request = ("--fault", f"{FAULT}*", "--variant", "all-reasoning")
    matrix = json.loads(
        run(tree, "conformance", "selftest", "--tier", "deep", *request, "--format", "json")
    )
    runs = {fault["name"]: fault["runs"][0] for fault in matrix["faults"]}
    assert len(runs) > 1, "it hides behind modifiers, too"
    assert {name: result["found_by"] for name, result in runs.items()} == {
        name: [CHECK] for name in runs
    }
    (variant,) = (one for one in matrix["correct"] if one["name"] == "all-reasoning")
    assert [result["false_alarms"] for result in variant["runs"]] == [[]]


def test_check_is_listed_and_explained(tree: Path) -> None:
    assert CHECK in run(tree, "conformance", "list")
    explained = run(tree, "conformance", "explain", CHECK)
    assert "The number of reasoning tokens does not exceed that of the completion." in explained
    assert FAULT in run(tree, "reference_server", "--list-faults")


def test_bundled_server_still_conforms(tree: Path, tmp_path: Path) -> None:
    run(tree, "conformance", "run", "--tier", "smoke", "--out", str(tmp_path / "run"))


def test_linters_pass(tree: Path) -> None:
    run(tree, "ruff", "check", "conformance", "reference_server")
    run(tree, "ruff", "format", "--check", "conformance", "reference_server")
    rules = ("spec/test_requirements.py", "test_architecture.py", "test_readme.py")
    others = ("report/test_diagnosis.py", "reference_server/behaviour/test_registry.py")
    paths = [f"tests/{rule}" for rule in (*rules, *others)]
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", *paths)


def test_tests_of_the_area_pass(tree: Path) -> None:
    chosen = ("-k", "usage", "-m", "not exhaustive", "-p", "no:cacheprovider")
    result = run(tree, "pytest", "-q", *chosen, "tests/checks")
    assert " passed" in result
