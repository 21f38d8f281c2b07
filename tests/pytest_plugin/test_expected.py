"""The file of expected deviations inside pytest, and other people's plugins beside the suite's."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from conformance.engine.discovery import all_checks
from conformance.engine.verdicts import Ruling
from conformance.model import Effect, Verdict
from conformance.pytest_plugin import shared_run
from tests.pytest_plugin.fake_pytest import faking

pytest_plugins = "pytester"

FAILS = Ruling(Verdict.FAIL, "expected a; seen b", "a", "b", Effect.IGNORED)
KNOWN, ALSO_KNOWN, NEW, GONE = (
    "stop.five-refused",
    "stop.four-served",
    "stop.string",
    "usage.present-everywhere",
)
CHECKS = (KNOWN, ALSO_KNOWN, NEW, GONE)
SESSION = (
    *("--conformance-base-url", "http://fake.example/v1", "--conformance-model", "tiny"),
    *("--conformance-tier", "smoke", "--conformance-expected", "expected.yaml", "-Wdefault"),
    *(word for check in CHECKS for word in ("--conformance-select", check)),
    # They come with our dependencies, and take seconds to load.
    *("-p", "no:schemathesis", "-p", "no:langsmith_plugin"),
)


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the run find three failures and let everything else pass."""
    all_checks()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = faking(dict.fromkeys((KNOWN, ALSO_KNOWN, NEW), FAILS))
    monkeypatch.setattr(shared_run, "run", run)


def listing(pytester: pytest.Pytester, *checks: str, more: str = "") -> None:
    entries = (f"- check: {check}\n  reason: the vendor knows\n{more}" for check in checks)
    (pytester.path / "expected.yaml").write_text("".join(entries), "utf-8")


def test_expected_failures_are_xfails(pytester: pytest.Pytester) -> None:
    listing(pytester, KNOWN, ALSO_KNOWN)
    result = pytester.runpytest_inprocess(*SESSION, "-rxf")
    result.assert_outcomes(xfailed=2, failed=1, passed=1)
    result.stdout.fnmatch_lines_random(
        [
            f"XFAIL conformance::{KNOWN} - Expected: the vendor knows; *",
            f"FAILED conformance::{NEW} - *",
            "2 known deviations, 1 new. *",
        ]
    )


def test_session_is_green_when_all_is_known(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*")
    result = pytester.runpytest_inprocess(*SESSION)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(xfailed=3, passed=1)


def test_stale_entry_fails_like_a_strict_xfail(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*", GONE)
    result = pytester.runpytest_inprocess(*SESSION, "-rf")
    result.assert_outcomes(xfailed=3, failed=1)
    result.stdout.fnmatch_lines([f"FAILED conformance::{GONE} - *XPASS(strict)*"])
    result.stdout.fnmatch_lines(["*(line 3) of `expected.yaml` expects a deviation*"])


def test_intermittent_entry_may_pass(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*", GONE, more="  intermittent: true\n")
    pytester.runpytest_inprocess(*SESSION).assert_outcomes(xfailed=3, passed=1)


def test_expired_entry_fails_with_its_date(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*", GONE, more="  expires: 2026-01-31\n")
    result = pytester.runpytest_inprocess(*SESSION)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["*expired on 2026-01-31*"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"- check: {KNOWN}\n  reason: TODO\n", "*expected.yaml, line 1: reason is still TODO*"),
        ("- check: stop.fiv-refused\n  reason: x\n", "*did you mean stop.five-refused?*"),
    ],
)
def test_wrong_file_is_a_usage_error(pytester: pytest.Pytester, text: str, sentence: str) -> None:
    (pytester.path / "expected.yaml").write_text(text)
    result = pytester.runpytest_inprocess(*SESSION)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence])


def test_configuration_names_the_file(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*")
    pytester.makeini(
        "[pytest]\nconformance_expected = expected.yaml\nconformance_exclude = usage\n"
    )
    pytester.mkdir("below")
    words = [word for word in SESSION if word not in {"--conformance-expected", "expected.yaml"}]
    pytester.chdir()
    pytester.runpytest_inprocess(*words, "below").assert_outcomes(xfailed=3)


def test_excluded_checks_are_no_items(pytester: pytest.Pytester) -> None:
    listing(pytester, "stop.*")
    result = pytester.runpytest_inprocess(*SESSION, "--conformance-exclude", "usage.*")
    result.assert_outcomes(xfailed=3)
    slip = pytester.runpytest_inprocess(*SESSION, "--conformance-exclude", "usge.*")
    assert slip.ret == pytest.ExitCode.USAGE_ERROR


# ── plugins of others ────────────────────────────────────────────────────────────────────────────


def test_plugin_can_be_switched_off(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_own(): pass")
    result = pytester.runpytest_inprocess("-p", "no:conformance", "--help")
    assert "--conformance-" not in result.stdout.str()
    pytester.runpytest_inprocess("-p", "no:conformance").assert_outcomes(passed=1)


def test_options_are_one_group(pytester: pytest.Pytester) -> None:
    text = pytester.runpytest_inprocess("--help").stdout.str()
    head, _, rest = text.partition("conformance tests for a completions endpoint:\n")
    group = rest.split("\n\n")[0]
    options = head + rest.replace(group, "")
    assert "--conformance-expected=FILE" in group
    assert "  --conformance-" not in options


def test_works_with_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    listing(pytester, "stop.*", GONE)
    pytester.makeconftest(
        f"""
        from conformance.pytest_plugin import shared_run
        from tests.pytest_plugin.test_expected import FAILS, faking
        shared_run.run = faking(dict.fromkeys({(KNOWN, ALSO_KNOWN, NEW)!r}, FAILS))
        """
    )
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ("-p", "conformance.pytest_plugin", "-p", "xdist")
    result = pytester.runpytest_subprocess(*SESSION, *plugins, "-n", "2")
    result.assert_outcomes(xfailed=3, failed=1)


def test_works_with_rerunfailures(pytester: pytest.Pytester) -> None:
    listing(pytester, KNOWN, ALSO_KNOWN)
    result = pytester.runpytest_inprocess(*SESSION, "--reruns", "1")
    # A verdict is never retried: the second try reports the same finding.
    assert result.parseoutcomes() == {"xfailed": 2, "failed": 1, "passed": 1, "rerun": 1}


def test_works_with_allure(pytester: pytest.Pytester) -> None:
    listing(pytester, KNOWN, ALSO_KNOWN)
    done = pytester.runpytest_inprocess(*SESSION, "--alluredir", "allure")
    done.assert_outcomes(xfailed=2, failed=1, passed=1)
    written = [json.loads(p.read_text()) for p in (pytester.path / "allure").glob("*-result.json")]
    states = {one["name"].removeprefix("conformance::"): one["status"] for one in written}
    assert states == {KNOWN: "skipped", ALSO_KNOWN: "skipped", NEW: "failed", GONE: "passed"}


def test_works_with_html_and_junit(pytester: pytest.Pytester) -> None:
    listing(pytester, KNOWN, ALSO_KNOWN)
    pytester.runpytest_inprocess(*SESSION, "--html=report.html", "--junitxml=junit.xml")
    page = (pytester.path / "report.html").read_text("utf-8")
    assert "the vendor knows" in page
    assert f"conformance::{NEW}" in page
    root = ET.parse(pytester.path / "junit.xml").getroot()
    kinds = [skipped.get("type") for skipped in root.iter("skipped")]
    assert kinds == ["pytest.xfail", "pytest.xfail"]
