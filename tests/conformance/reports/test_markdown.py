"""The summary for a CI page: short, and nothing in it can leave its code span."""

import pytest

from conformance.reports import markdown
from conformance.reports.markdown import MOST, code, escape
from tests.conformance.reports.builders import a_failure, a_finding, a_run, a_subject


def test_the_verdict_comes_first_and_names_are_code() -> None:
    text = markdown.render(a_run(a_failure()))
    assert text.startswith("## Not conforming\n\n1 of 1 check found a broken promise.")
    assert "ignores `stop`." in text
    assert "| fail | `stop.five-refused` | `status 400` | `status 200: a completion` |" in text


def test_a_conforming_run_lists_no_findings() -> None:
    assert "| verdict |" not in markdown.render(a_run(a_finding()))


def test_the_state_of_each_promised_parameter_is_shown() -> None:
    silent = a_subject("seed", documented=False)
    text = markdown.render(a_run(a_finding(), subjects=(a_subject(), silent)))
    assert "| `stop` | ✅ honoured | null, string or array of 1 to 4 |" in text
    assert "`seed`" not in text


def test_what_was_not_verified_is_counted() -> None:
    assert "**Not verified**\n\n- 1 skipped" in markdown.render(a_run(a_finding(verdict="skipped")))


def test_a_long_list_is_cut_and_says_so() -> None:
    run = a_run(*(a_failure(f"stop.c{number:03}") for number in range(MOST + 2)))
    assert "2 more findings in the full report." in markdown.render(run)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a`b", "``a`b``"),
        ("``` fence", "```` ``` fence ````"),
        ("a | b", r"`a \| b`"),
        ("line\nbreak", "`line␊break`"),
        ("", "`  `"),
    ],
)
def test_no_text_leaves_its_code_span(hostile: str, shown: str) -> None:
    assert code(hostile) == shown


def test_a_sentence_is_read_as_text() -> None:
    assert escape("<b>*x*</b> [a](http://x)") == r"\<b\>\*x\*\</b\> \[a\](http\://x)"
