"""The default lane leaves out exhaustive tests, and tests/README.md lists them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.contract import LIVING
from tests.cases import for_each_case
from tests.dialects.explanations import columns
from tests.dialects.test_cross_table import SAMPLE
from tests.lanes import names_area

TESTS = Path(__file__).parent
TABLE = "tests/dialects/test_cross_table.py"
WHOLE = len(columns())
BY_DEFAULT = len(LIVING) + SAMPLE + 2
IN_ALL = BY_DEFAULT + WHOLE
"""Tests of the cross table's file."""


@pytest.mark.parametrize(
    ("words", "collected"),
    [
        ((TABLE,), f"{BY_DEFAULT}/{IN_ALL} tests collected"),
        ((TABLE, "--lane=all"), f"{IN_ALL} tests collected"),
        ((TABLE, "-m", "exhaustive"), f"{IN_ALL - BY_DEFAULT}/{IN_ALL} tests collected"),
        ((f"{TABLE}::test_deviations_of_a_dialect_are_explained",), f"{WHOLE} tests collected"),
    ],
)
def test_exhaustive_tests_run_when_requested(words: tuple[str, ...], collected: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *words],
        cwd=TESTS.parent,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected in ended.stdout, ended.stdout + ended.stderr


@for_each_case(
    ("nodeid", "area", "named"),
    [
        ("tests/checks/stop/test_faults.py::test_it", "stop", True),
        ("tests/checks/test_x.py::test_a_stop_sequence", "stop", True),
        ("tests/checks/test_x.py::test_found[stop-ignored@stream]", "stop", True),
        ("tests/checks/test_x.py::test_stopping", "stop", False),
        ("tests/checks/test_max_tokens.py::test_it", "max-tokens", True),
        ("tests/checks/test_x.py::test_n_is_counted", "n", True),
        ("tests/checks/test_x.py::test_none", "n", False),
    ],
)
def test_area_is_a_whole_word(nodeid: str, area: str, named: bool) -> None:
    assert names_area(nodeid, area) is named


def test_files_with_exhaustive_tests_are_listed() -> None:
    listed = (TESTS / "README.md").read_text("utf-8")
    marked = re.compile(r"mark\.exhaustive|\bby_default\(|\bsample_size\(")
    files = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    exhaustive = [path for path in files if marked.search(path.read_text("utf-8"))]
    assert len(exhaustive) > 10
    names = [path.relative_to(TESTS).as_posix() for path in exhaustive]
    assert [name for name in names if f"`{name}`" not in listed] == []
