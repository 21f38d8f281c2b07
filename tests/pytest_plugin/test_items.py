"""Each check is an item to which pytest's options apply."""

from __future__ import annotations

import html
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options
from conformance.engine.verdicts import Ruling
from conformance.model import Target
from conformance.pytest_plugin import shared_run
from conformance.pytest_plugin.settings import Settings
from conformance.pytest_plugin.suite import Suite
from tests.pytest_plugin.fake_pytest import RULINGS, faking

pytest_plugins = "pytester"

NAMED = ("--conformance-base-url", "http://fake.example/v1", "--conformance-model", "tiny")
# The warnings that this project's own session turns into errors reach inside.
SMOKE = (
    *NAMED,
    *("--conformance-tier", "smoke", "-Wdefault"),
    # They come with our dependencies, and take seconds to load.
    *("-p", "no:schemathesis", "-p", "no:langsmith_plugin", "-p", "no:allure_pytest"),
)
SELECTED = (*SMOKE, *(word for name in RULINGS for word in ("--conformance-select", name)))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Import every check before, and use no key and an empty temporary folder."""
    all_checks()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch):
    """Let every run report a test's findings; returns the ids of the judged checks."""

    def prepare(rulings: dict[str, Ruling] = RULINGS, **settings: object) -> list[str]:
        left: list[str] = []
        run = faking(rulings, left=left, **settings)
        monkeypatch.setattr(shared_run, "run", run)
        return left

    return prepare


def test_every_verdict_has_its_outcome(pytester: pytest.Pytester, fake_run) -> None:
    fake_run()
    result = pytester.runpytest_inprocess(*SELECTED, "-rsxfE", "-v")
    result.assert_outcomes(failed=1, xfailed=1, passed=2, skipped=3, errors=1, warnings=1)
    result.stdout.fnmatch_lines_random(
        [
            "conformance::stop.five-refused *FAILED*",
            "conformance::stop.four-served *XFAIL*",
            "conformance::stop.ends-before-match *SKIPPED*",
            "conformance::stop.fourth-works *SKIPPED*",
            "conformance::stop.fifth-not-dropped *SKIPPED*",
            "conformance::usage.present *ERROR*",
            "SKIPPED [[]1[]] *stop*directed.py:*: this document has no stop",
            "SKIPPED [[]1[]] *stop*directed.py:*: Not judged: answered 502: later",
            "SKIPPED [[]1[]] *stop*directed.py:*: informational: not promised, and it works",
            "XFAIL *stop.four-served - *; refused with *",
            "FAILED conformance::stop.five-refused - Broken: *",
            "ERROR conformance::usage.present - NotJudged: internal error in the check*",
        ]
    )


def test_failure_shows_evidence_without_a_traceback(pytester: pytest.Pytester, fake_run) -> None:
    fake_run()
    result = pytester.runpytest_inprocess(*SELECTED, "--color=no").stdout.str()
    for words in (
        "One more stop sequence than",
        "(stop.at-most-four)",
        "  expected     status 400\n",
        "  actual       status 200␛[31m\n",
        "  likely cause ",
        "  fix          ",
    ):
        assert words in result
    assert "Traceback" not in result
    assert "raise " not in result
    assert "\x1b" not in result


@pytest.mark.parametrize(
    ("words", "failed"), [((), 0), (("--conformance-strict",), 1), (("-Werror",), 1)]
)
def test_lesser_failure_warns_unless_strict(
    pytester: pytest.Pytester, fake_run, words: tuple[str, ...], failed: int
) -> None:
    fake_run({"stop.string": RULINGS["stop.string"]})
    result = pytester.runpytest_inprocess(*SMOKE, "--conformance-select", "stop.string", *words)
    result.assert_outcomes(passed=1 - failed, failed=failed, warnings=1 - failed)
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*  actual       b"])


def test_deselected_checks_are_not_judged(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run({})
    pytester.runpytest_inprocess(*SMOKE, "-k", "five or four-served").assert_outcomes(
        passed=2, deselected=len(_smoke()) - 2
    )
    assert sorted(left) == ["stop.five-refused", "stop.four-served"]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("stop and must", {"stop.five-refused", "stop.string"}),
        ("conformance and not conformance", set()),
        ("smoke and usage and directed", {"usage.present"}),
        ("deep", set()),
    ],
)
def test_markers_select_by_area_level_tier_and_stage(
    pytester: pytest.Pytester, fake_run, expression: str, names: set[str]
) -> None:
    left = fake_run({})
    pytester.runpytest_inprocess(*SMOKE, "-m", expression, "--strict-markers")
    assert names <= set(left)
    assert bool(left) == bool(names)


def test_collection_sends_nothing(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run({})
    result = pytester.runpytest_inprocess(*SMOKE, "--collect-only", "-q")
    result.stdout.fnmatch_lines(["conformance::stop.five-refused"])
    assert left == []


def test_one_run_serves_the_whole_session(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run({})
    pytester.runpytest_inprocess(*SMOKE).assert_outcomes(passed=len(_smoke()))
    assert sorted(left) == sorted(_smoke())


def test_checks_run_beside_the_tests_of_a_project(pytester: pytest.Pytester, fake_run) -> None:
    fake_run({})
    pytester.makepyfile(test_mine="def test_it(): pass")
    result = pytester.runpytest_inprocess(*SMOKE, "--conformance-select", "stop.string")
    result.assert_outcomes(passed=2)
    # Who names a test wants that one, and pays for nothing else.
    pytester.runpytest_inprocess(*SMOKE, "test_mine.py::test_it").assert_outcomes(passed=1)


def test_check_is_selected_by_its_node_id(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run({})
    pytester.runpytest_inprocess(*SMOKE, "conformance::stop.string").assert_outcomes(passed=1)
    assert left == ["stop.string"]
    result = pytester.runpytest_inprocess(*SMOKE, "conformance::stop.strnig")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: not found: *; did you mean conformance::stop.string?"])


def test_last_failures_are_judged_again_alone(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run()
    pytester.runpytest_inprocess(*SELECTED)
    left.clear()
    pytester.runpytest_inprocess(*SELECTED, "--lf")
    assert sorted(left) == ["stop.five-refused", "usage.present"]


def test_first_failure_ends_the_run(pytester: pytest.Pytester, fake_run) -> None:
    left = fake_run({"stop.five-refused": RULINGS["stop.five-refused"]}, endless=True)
    result = pytester.runpytest_inprocess(*SELECTED, "-x", "-k", "five-refused or string")
    result.assert_outcomes(failed=1, deselected=6)
    assert left[-1] == "closed early"


def test_failures_of_any_worker_stop_the_run(tmp_path: Path) -> None:
    target = Target("http://fake.example/v1", "tiny", "openai")
    settings = Settings(target, load_contract("openai"), Options(), None, ())
    suite = Suite(settings, (), tmp_path, own=False, most_failures=2)
    failure = pytest.TestReport("it", ("it.py", 1, "it"), {}, "failed", None, "call")
    suite.pytest_runtest_logreport(failure)
    assert not (tmp_path / shared_run.STOP).exists()
    suite.pytest_runtest_logreport(failure)
    assert (tmp_path / shared_run.STOP).exists()


def test_preflight_failure_is_reported_once(
    pytester: pytest.Pytester, fake_run, tmp_path: Path
) -> None:
    fake_run({}, reason="connection refused: nothing listens there")
    result = pytester.runpytest_inprocess(*SELECTED, "-rsE")
    result.assert_outcomes(errors=1, skipped=len(RULINGS) - 1)
    reported = result.stdout.str()
    assert "Traceback" not in reported
    assert "raise " not in reported
    result.stdout.fnmatch_lines(
        [
            "connection refused: nothing listens there",
            "SKIPPED [[]7[]] *: not run: connection refused: nothing listens there",
            "ERROR conformance::* - NotJudged: connection refused*",
        ]
    )


def test_internal_error_is_reported_without_the_key(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-secret-0123456789abcdef"

    def run(*_: object, **__: object) -> object:
        raise RuntimeError(f"broken with {key}")

    monkeypatch.setattr(shared_run, "run", run)
    monkeypatch.setenv("EXAMPLE_KEY", key)
    result = pytester.runpytest_inprocess(
        *SELECTED, "--conformance-api-key-env", "EXAMPLE_KEY", "-l", "-rA"
    )
    result.assert_outcomes(errors=1, skipped=len(RULINGS) - 1)
    reported = result.stdout.str() + result.stderr.str()
    assert "internal error of the suite: RuntimeError: broken with $API_KEY" in reported
    assert key not in reported


def test_junit_has_a_case_for_each_check(pytester: pytest.Pytester, fake_run) -> None:
    fake_run()
    pytester.runpytest_inprocess(*SELECTED, "--junitxml=junit.xml")
    cases = ET.parse(pytester.path / "junit.xml").findall(".//testcase")
    assert {(case.get("classname"), case.get("name")) for case in cases} == {
        ("conformance", name) for name in RULINGS
    }
    failed = next(case for case in cases if case.find("failure") is not None)
    assert "expected     status 400" in (failed.findtext("failure") or "")
    (about,) = failed.findall("properties/property")
    assert about.attrib == {"name": "requirement", "value": "stop.at-most-four"}


def test_html_report_has_a_row_per_check(pytester: pytest.Pytester, fake_run) -> None:
    fake_run()
    pytester.runpytest_inprocess(*SELECTED, "--html=report.html", "--self-contained-html")
    page = html.unescape((pytester.path / "report.html").read_text("utf-8"))
    for name in RULINGS:
        assert f"conformance::{name}" in page
    assert "expected     status 400" in page


def test_no_files_remain(pytester: pytest.Pytester, fake_run, tmp_path: Path) -> None:
    fake_run()
    before = set(tmp_path.iterdir())
    pytester.runpytest_inprocess(*SELECTED)
    pytester.runpytest_inprocess(*SELECTED, "-x")
    pytester.runpytest_inprocess(*SELECTED, "--collect-only")
    assert set(tmp_path.iterdir()) == before


def _smoke() -> list[str]:
    return [check.id for check in all_checks() if check.tier.value == "smoke"]
