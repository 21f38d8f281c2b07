"""Every report shows a deviation that a file expects as *expected*, and what is news."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from rich.console import Console

from conformance.language import Language
from conformance.model import EntryKind, Expectation, ExpectedFile, Finding, Run
from conformance.record.expected import with_expected
from conformance.report import html, junit, markdown, results
from conformance.report.console import Verbosity, show
from conformance.report.matrix import Recorded, matrix_of
from conformance.report.matrix.json_data import render as matrix_json
from conformance.report.matrix.markdown import render as matrix_markdown
from conformance.report.summary import Summary
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.pages import Page

KNOWN, NEW = "stop.five-refused", "stop.string"


def an_entry(check: str, line: int = 1, **changes: Any) -> Expectation:
    known: dict[str, Any] = {"reason": "the vendor knows", "checks": (check,)}
    return Expectation(EntryKind.CHECK, check, line=line, **{**known, **changes})


def expecting(*findings: Finding, entries: tuple[Expectation, ...], **header: Any) -> Run:
    file = ExpectedFile("vendor.expected.yaml", entries)
    return with_expected(a_run(*findings, expected=file, **header))


AS_EXPECTED = expecting(
    a_failure(KNOWN),
    a_finding("usage.stated"),
    entries=(an_entry(KNOWN, url="https://example.com/12", expires="2027-01-31"),),
)
NEWS = expecting(
    a_failure(KNOWN),
    a_failure(NEW),
    a_finding("usage.stated"),
    a_finding("model.echoed"),
    entries=(
        an_entry(KNOWN, 1),
        an_entry("usage.stated", 4),
        an_entry("model.echoed", 7, expires="2026-01-31"),
    ),
)


def printed(run: Run, language: Language = Language.ENGLISH, **how: Any) -> str:
    screen = io.StringIO()
    show(run, Console(file=screen, width=1_000), language, **how)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (AS_EXPECTED, "1 known deviation, 0 new"),
        (NEWS, "1 known deviation, 1 new, 1 stale, 1 expired"),
        (
            expecting(
                a_failure(KNOWN),
                a_finding("n.x", "inconclusive"),
                entries=(an_entry(KNOWN),),
            ),
            "Inconclusive, 1 known deviation, 0 new",
        ),
        (expecting(a_finding(KNOWN), entries=()), "Conforming"),
        (
            expecting(a_failure(KNOWN), entries=(an_entry(KNOWN),), exclude=("usage.*",)),
            "1 known deviation, 0 new, without usage.*",
        ),
        (a_run(a_finding(KNOWN), exclude=("usage.*", "n")), "Conforming, without usage.* and n"),
        (a_run(a_failure(KNOWN), exclude=("usage.*",)), "Not conforming, without usage.*"),
    ],
)
def test_headline_counts_known_and_new(run: Run, headline: str) -> None:
    assert Summary(run).headline.en == headline


def test_sentence_names_only_the_new_failure() -> None:
    sentence = Summary(NEWS).sentence.en
    assert "1 of 4 checks failed without being listed in `vendor.expected.yaml`: " in sentence
    assert f"`{NEW}`; 1 more deviate as listed." in sentence
    assert "no longer apply: `usage.stated` (line 4)" in sentence
    assert "have expired: `model.echoed` (line 7, 2026-01-31)" in sentence


def test_terminal_shows_expected_with_its_reason() -> None:
    text = printed(AS_EXPECTED)
    assert "◇ expected" in text
    assert "Expected until 2027-01-31: the vendor knows" in text
    assert "✗ fail" not in text
    assert "(expected)" in text
    assert "已知（至 2027-01-31）" in printed(AS_EXPECTED, Language.CHINESE)
    assert "the vendor knows" in printed(AS_EXPECTED, verbosity=Verbosity.VERBOSE)
    assert printed(AS_EXPECTED, verbosity=Verbosity.QUIET).startswith("1 known deviation, 0 new.")


def test_new_failure_comes_before_known_ones() -> None:
    text = printed(NEWS)
    assert text.index("✗ fail") < text.index("◇ expected")


def test_page_shows_expected_with_reason_and_link() -> None:
    text = html.render(AS_EXPECTED)
    page = Page(text)
    assert 'data-verdict="expected"' in text
    assert 'data-verdict="fail" data-level' not in text
    assert "the vendor knows" in text
    assert "expected" in page.ids
    assert '<a href="https://example.com/12" rel="noopener noreferrer">' in text
    assert 'class="verdict as-expected"' in text


def test_page_makes_no_link_of_a_script() -> None:
    hostile = an_entry(KNOWN, url="javascript:alert(1)", reason="<i>`x`</i>")
    text = html.render(expecting(a_failure(KNOWN), entries=(hostile,)))
    assert 'href="javascript' not in text
    assert "<i>" not in text


def test_junit_skips_expected_and_fails_entries() -> None:
    root = ET.fromstring(junit.render(NEWS))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    skipped = cases[KNOWN].find("skipped")
    assert skipped is not None
    assert skipped.get("type") == "expected"
    assert (skipped.get("message") or "").startswith("Expected: the vendor knows")
    assert cases[NEW].find("failure") is not None
    kinds = {
        name: failure.get("type")
        for name, case in cases.items()
        if case.get("classname") == "expected" and (failure := case.find("failure")) is not None
    }
    assert kinds == {"usage.stated, line 4": "stale", "model.echoed, line 7": "expired"}
    assert (root.get("failures"), root.get("skipped")) == ("3", "1")


def test_results_keep_the_verdict_of_the_check() -> None:
    document = json.loads(results.render(NEWS))
    found = {finding["id"]: finding for finding in document["findings"]}
    assert (found[KNOWN]["verdict"], found[KNOWN]["judged"]) == ("expected", "fail")
    assert found[KNOWN]["expectation"]["reason"] == "the vendor knows"
    assert document["counts"]["expected"] == document["counts"]["fail"] == 1
    assert document["expected"]["new"] == [NEW]
    assert [entry["check"] for entry in document["expected"]["stale"]] == ["usage.stated"]
    assert [entry["line"] for entry in document["expected"]["expired"]] == [7]
    calm = json.loads(results.render(AS_EXPECTED))
    assert (calm["verdict"], calm["judged"], calm["exit_code"]) == (
        "as expected",
        "not conforming",
        0,
    )


def test_markdown_says_expected_and_why() -> None:
    text = markdown.render(AS_EXPECTED)
    assert text.startswith("## 1 known deviation, 0 new\n")
    assert f"| expected | `{KNOWN}` |" in text
    assert "Expected until 2027-01-31: the vendor knows" in text
    assert "ignored (expected)" in text


def test_markdown_headline_contains_no_markup() -> None:
    text = markdown.render(a_run(a_finding(KNOWN), exclude=("[x](https://example.com)",)))
    assert "without [x]" not in text


def test_matrix_shows_expected_targets_and_cells() -> None:
    matrix = matrix_of([Recorded("vendor", AS_EXPECTED)], ())
    assert matrix.sentence.en == "1 target: 1 as expected."
    (target,) = json.loads(matrix_json(matrix))["targets"]
    assert target["verdict"] == "as expected"
    assert target["verdicts"][KNOWN] == "expected"
    assert target["states"]["stop"] == {"state": "ignored", "documented": True, "expected": True}
    assert "ignored (expected)" in matrix_markdown(matrix)
