"""The numbers that both READMEs state are those of the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")


@pytest.fixture(scope="module", params=READMES)
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text("utf-8")


def test_it_states_how_many_requirements_there_are(readme: str) -> None:
    requirements = yaml.safe_load((ROOT / "spec" / "requirements.yaml").read_text("utf-8"))
    stated = re.search(r"(\d+) (?:testable requirements|条可检验的要求)", readme)
    assert stated is not None
    assert int(stated[1]) == len(requirements["requirements"])


@pytest.mark.parametrize("tier", ["smoke", "standard", "deep"])
def test_it_states_what_a_run_costs(readme: str, tier: str) -> None:
    stated = re.search(rf"\| `--tier {tier}` \| (\d+) \| ([\d,]+) \|", readme)
    assert stated is not None
    plan = subprocess.run(
        [sys.executable, "-m", "conformance", "plan", "--tier", tier],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    requests, tokens = f"{stated[1]} requests", f"at most {stated[2]} tokens"
    assert f"{requests}, {tokens}" in " ".join(plan.split())


def test_both_open_with_the_two_commands_that_do_all_the_set_up(readme: str) -> None:
    opening = readme.split("\n## ", maxsplit=1)[0]
    assert "$ make run" in opening
    assert "$ make test" in opening
