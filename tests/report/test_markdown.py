"""The summary for a CI page: short, with endpoint text only in code spans."""

import pytest

from conformance.language import Language
from conformance.model import Effect
from conformance.report import markdown
from conformance.report.diagnosis import cause_of
from conformance.report.markdown import MAX_CASES, MAX_FINDINGS_LISTED, code, escape
from tests.report.builders import (
    a_failure,
    a_finding,
    a_run,
    a_subject,
    an_exchange,
)


def test_verdict_comes_first_and_names_are_code() -> None:
    text = markdown.render(a_run(a_failure()))
    assert text.startswith("## Not conforming\n\nSupports 0 of 1 documented parameter as promised")
    assert "silently ignores `stop`." in text
    row = "| fail | `stop.five-refused` | The request was served (status 200); promised: "
    assert row in text


def test_failure_is_shown_with_cause_and_command() -> None:
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),))
    text = markdown.render(run, "VENDOR_KEY")
    case = text[text.index("<details>") : text.index("</details>")]
    cause = cause_of("stop.at-most-four", Effect.IGNORED)
    for result in (
        "<summary>stop.five-refused</summary>",
        "- expected: `status `**`400`**",
        "- actual: `status `**`200`**`: a completion`",
        "At most four stop sequences are accepted; a fifth is refused.",
        "- source: `openai`: Up to 4 sequences.",
        f"- likely cause: {cause.cause}",
        f"- fix: {cause.remedy}",
        "```sh\ncurl -sS -i http://127.0.0.1:8000/v1/completions",
        "Bearer $VENDOR_KEY",
    ):
        assert result in case


def test_only_failures_are_shown_in_detail() -> None:
    assert "<details>" not in markdown.render(a_run(a_finding(verdict="inconclusive")))


def test_detailed_failures_are_limited() -> None:
    run = a_run(*(a_failure(f"stop.c{number:03}") for number in range(MAX_CASES + 2)))
    assert markdown.render(run).count("<details>") == MAX_CASES


def test_conforming_run_has_no_findings() -> None:
    assert "| verdict |" not in markdown.render(a_run(a_finding()))


def test_state_of_each_promised_parameter_is_shown() -> None:
    silent = a_subject("seed", documented=False)
    text = markdown.render(a_run(a_finding(), subjects=(a_subject(), silent)))
    assert "| `stop` | ✅ honoured | null, string or array of 1 to 4 |" in text
    assert "`seed`" not in text


def test_undocumented_parameters_are_distinguished() -> None:
    seen = a_finding("seed.repeats", "info", subject="seed", effect=Effect.REFUSED)
    subjects = (a_subject(), a_subject("seed", documented=False))
    text = markdown.render(a_run(a_finding(), seen, subjects=subjects))
    assert "Not documented by `openai` (informational): `seed` refused" in text
    assert "| verdict |" not in text


def test_unverified_requirements_are_counted() -> None:
    assert "**Not verified**\n\n- 1 skipped" in markdown.render(a_run(a_finding(verdict="skipped")))


def test_long_list_is_visibly_cut() -> None:
    run = a_run(*(a_failure(f"stop.c{number:03}") for number in range(MAX_FINDINGS_LISTED + 2)))
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


def test_sentence_is_escaped() -> None:
    assert escape("<b>*x*</b> [a](http://x)") == r"\<b\>\*x\*\</b\> \[a\](http\://x)"


def test_summary_is_written_in_chinese() -> None:
    run = a_run(a_failure(title_zh="第五个停止序列应被拒绝。"))
    text = markdown.render(run, language=Language.CHINESE)
    assert text.startswith("## 不符合契约\n\n文档所列的 1 个参数中有 0 个符合契约")
    assert "| 判定 | 检查 | 发现 |" in text
    assert "❌ 被忽略" in text
    assert cause_of("stop.at-most-four", Effect.IGNORED).remedy_zh.partition("`")[0] in text
    assert "likely cause" not in text
