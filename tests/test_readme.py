"""The numbers in both READMEs are current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from conformance.engine.selection import PRICES
from conformance.model import Tier

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
ROUND = 50
"""A rounded number may be that much too small: adding a requirement is no reason to edit it."""


@pytest.fixture(scope="module", params=READMES)
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text("utf-8")


def test_number_of_requirements_is_current(readme: str) -> None:
    requirements = yaml.safe_load((ROOT / "spec" / "requirements.yaml").read_text("utf-8"))
    stated = re.search(r"more than (\d+) testable requirements|(\d+) 多条可检验的要求", readme)
    assert stated is not None
    assert 0 <= len(requirements["requirements"]) - int(stated[1] or stated[2]) < ROUND


@pytest.mark.parametrize("tier", list(Tier))
def test_stated_costs_are_the_limits(readme: str, tier: Tier) -> None:
    """tests/engine/test_price.py tests plans and real runs against the same limits."""
    stated = re.search(rf"\| `--tier {tier}` \| (\d+) \| ([\d,]+) \|", readme)
    assert stated is not None
    assert tuple(int(number.replace(",", "")) for number in stated.groups()) == PRICES[tier]


def test_quick_start_is_make_run_and_make_test(readme: str) -> None:
    opening = readme.split("\n## ", maxsplit=1)[0]
    assert "$ make run" in opening
    assert "$ make test" in opening
