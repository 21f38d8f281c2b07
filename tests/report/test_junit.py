"""JUnit: each verdict has the matching element."""

import xml.etree.ElementTree as ET

import pytest

from conformance.message import say
from conformance.model import Conclusion
from conformance.report import Location, junit
from tests.report.builders import a_failure, a_finding, a_run, an_exchange


def case_of(run) -> ET.Element:
    case = ET.fromstring(junit.render(run)).find("testsuite/testcase")
    assert case is not None
    return case


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        ("fail", "failure"),
        ("inconclusive", "error"),
        ("error", "error"),
        ("refused", "skipped"),
        ("skipped", "skipped"),
    ],
)
def test_other_verdicts_are_marked(verdict: str, tag: str) -> None:
    message = say("answered {status}: {body}", status=503, body="later")
    case = case_of(a_run(a_finding(verdict=verdict, message=message)))
    outcome = case.find(tag)
    assert outcome is not None
    assert outcome.get("type") == verdict
    told = dict.fromkeys(("inconclusive", "error"), "not judged: answered 503: later")
    assert (outcome.get("message") or "").lower() == told.get(verdict, "answered 503: later")


def test_explained_finding_is_skipped_with_its_root() -> None:
    message = say("its streams are broken")
    found = a_finding(verdict="explained", message=message, explained_by="text.present")
    outcome = case_of(a_run(found)).find("skipped")
    assert outcome is not None
    assert outcome.get("message") == "Its streams are broken"
    assert (outcome.text or "").startswith("because: explained by text.present\n")


def test_information_passes_and_shows_what_was_seen() -> None:
    case = case_of(a_run(a_finding(verdict="info", message="expected a; seen b"), strict=True))
    assert [child.tag for child in case] == ["properties", "system-out"]
    assert case.findtext("system-out") == "not documented in this contract: expected a; seen b"


def test_pass_has_no_mark() -> None:
    case = case_of(a_run(a_finding()))
    assert [child.tag for child in case] == ["properties"]


def test_lesser_failure_fails_only_a_strict_run() -> None:
    warned = a_finding(verdict="warn", expected="an id", seen="none")
    lenient, strict = case_of(a_run(warned)), case_of(a_run(warned, strict=True))
    assert lenient.find("failure") is None
    assert "actual: none" in (lenient.findtext("system-out") or "")
    assert strict.find("failure") is not None


def test_testcase_has_area_check_and_time() -> None:
    run = a_run(a_failure(exchanges=("x1", "x2")), exchanges=(an_exchange("x1"), an_exchange("x2")))
    case = case_of(run)
    assert case.get("classname") == "stop"
    assert case.get("name") == "stop.five-refused"
    assert case.get("time") == "0.500"
    assert case.find("properties/property[@name='requirement']").get("value") == "stop.at-most-four"


def test_testcases_are_at_the_line_of_their_target() -> None:
    written = junit.render(a_run(a_failure()), location=Location("conformance.toml", 7))
    (case,) = ET.fromstring(written).iter("testcase")
    assert (case.get("file"), case.get("line")) == ("conformance.toml", "7")
    assert case_of(a_run(a_failure())).get("file") is None


def test_suites_are_counted() -> None:
    findings = (
        a_finding("stop.a"),
        a_failure("stop.b"),
        a_finding("echo.a", "inconclusive", requirement="echo.returned"),
        a_finding("echo.b", "skipped", requirement="echo.returned"),
    )
    root = ET.fromstring(junit.render(a_run(*findings)))
    counted = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert {suite.get("name"): suite.get("tests") for suite in root} == {"stop": "2", "echo": "2"}
    assert root.find("testsuite/properties/property[@name='contract']").get("value") == "openai"


@pytest.mark.parametrize(
    "run",
    [a_run(a_finding(), incomplete=True), a_run(conclusion=Conclusion.NOTHING_RAN)],
    ids=["broken off", "nothing ran"],
)
def test_inconclusive_run_is_never_green(run) -> None:
    root = ET.fromstring(junit.render(run))
    incomplete = root.find(".//testcase[@name='run.complete']/error")
    assert incomplete is not None
    assert root.get("errors") == "1"


def test_rejected_key_is_an_error() -> None:
    run = a_run(conclusion=Conclusion.UNDECIDED, reason="the API key was refused with 401")
    error = ET.fromstring(junit.render(run)).find(".//testcase[@name='run.complete']/error")
    assert error is not None
    assert "the API key was refused with 401" in (error.text or "")
