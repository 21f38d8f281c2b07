"""The numbers that both READMEs state are those of the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conformance.model import Tier
from conformance.selection import PRICES

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
ROUND = 50
"""A rounded number may be that much too small: adding a requirement is no reason to edit it."""


@pytest.fixture(scope="module", params=READMES)
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text("utf-8")


def test_it_states_how_many_requirements_there_are(readme: str) -> None:
    requirements = yaml.safe_load((ROOT / "spec" / "requirements.yaml").read_text("utf-8"))
    stated = re.search(r"more than (\d+) testable requirements|(\d+) 多条可检验的要求", readme)
    assert stated is not None
    assert 0 <= len(requirements["requirements"]) - int(stated[1] or stated[2]) < ROUND


@pytest.mark.parametrize("tier", ["smoke", "standard", "deep"])
def test_a_run_costs_no_more_than_it_states(readme: str, tier: str) -> None:
    stated = re.search(rf"\| `--tier {tier}` \| (\d+) \| ([\d,]+) \|", readme)
    assert stated is not None
    plan = subprocess.run(
        [sys.executable, "-m", "conformance", "plan", "--tier", tier],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    counted = re.search(r"(\d+) requests, at most ([\d,]+) tokens", " ".join(plan.split()))
    assert counted is not None
    most = [int(number.replace(",", "")) for number in stated.groups()]
    assert tuple(most) == PRICES[Tier(tier)]
    sent = [int(number.replace(",", "")) for number in counted.groups()]
    assert all(number <= limit for number, limit in zip(sent, most, strict=True)), (sent, most)


def test_both_open_with_the_two_commands_that_do_all_the_set_up(readme: str) -> None:
    opening = readme.split("\n## ", maxsplit=1)[0]
    assert "$ make run" in opening
    assert "$ make test" in opening
