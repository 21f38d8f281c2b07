"""Runs are combined into a table that every format can show."""

from __future__ import annotations

import json

import pytest

from conformance.language import Language, Text
from conformance.model import Common, Conclusion, Effect, State, Verdict
from conformance.report.console import console_for
from conformance.report.matrix import Recorded, files, matrix_of
from conformance.report.matrix import terminal as text
from tests.report.builders import a_failure, a_finding, a_run, a_subject
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run
from tests.report.matrix.factory import DOCUMENTS, many_runs
from tests.report.pages import Page

SUBJECTS = (
    a_subject("stop"),
    a_subject("echo"),
    a_subject("best_of", documented=False),
    a_subject("seed", documented=False),
    a_subject("usage", kind="field"),
)
BROKEN = Recorded(
    "vendor",
    a_run(
        a_failure("stop.five-refused", title_zh="第五个停止序列被拒绝。"),
        a_finding("stop.four-served", sees_effect=False),
        a_finding("echo.echoed"),
        a_finding("best-of.seen", "info", subject="best_of", effect=Effect.IGNORED),
        a_finding("seed.seen", "skipped", subject="seed"),
        a_finding("usage.stated", "warn", effect=Effect.ALTERED),
        subjects=SUBJECTS,
        contract="zero",
        document="zero",
    ),
    "vendor/index.html",
)
KEPT = Recorded("other", a_run(a_finding("stop.four-served"), subjects=SUBJECTS[:2]))
MISSING = Recorded(
    "absent",
    document="aocheng",
    because=Text("Environment variable KEY is not set or is empty.", "环境变量 KEY 未设置或为空。"),
    base_url="https://absent.example/v1",
    model="tiny",
)
MATRIX = matrix_of([BROKEN, KEPT, MISSING], DOCUMENTS)
ROWS = {row.name: row for row in MATRIX.rows}


# ── rows and columns ─────────────────────────────────────────────────────────────────────────────


def test_every_document_has_a_row() -> None:
    assert [row.name for row in MATRIX.rows] == [
        *("vendor", "other", "absent"),
        *("gpt-ge", "zhizengzeng", "eronmind"),
    ]
    assert ROWS["gpt-ge"].conclusion is None
    assert ROWS["gpt-ge"].because is not None
    assert ROWS["gpt-ge"].because.en == "No run used this document's contract."


def test_empty_matrix_has_the_five_document_rows() -> None:
    matrix = matrix_of([], DOCUMENTS)
    assert [row.name for row in matrix.rows] == list(DOCUMENTS)
    assert matrix.sentence.en == "5 targets: 5 not run."
    assert (matrix.parameters, matrix.fields, matrix.subjects) == ((), (), ())
    assert matrix_of([], ()).sentence.en == "No runs."


def test_custom_overlay_replaces_its_documents_row() -> None:
    run = a_run(a_finding(), contract="ours", document="zero")
    rows = matrix_of([Recorded("ours", run)], DOCUMENTS).rows
    assert [row.name for row in rows] == ["ours", "gpt-ge", "aocheng", "zhizengzeng", "eronmind"]


def test_sentence_counts_the_outcomes() -> None:
    assert MATRIX.sentence == Text(
        "3 targets: 1 not conforming, 1 conforming, 1 not run.",
        "3 个目标：1 个不符合契约，1 个符合契约，1 个未运行。",
    )


def test_partial_run_is_not_just_conforming() -> None:
    limited = a_finding("echo.a", "skipped", message="budget spent: 5 requests were allowed")
    run = a_run(a_finding("stop.kept"), limited, subjects=SUBJECTS)
    made = matrix_of([Recorded("part", run), KEPT], ())
    assert made.sentence == Text(
        "2 targets: 1 conforming, 1 conforming in the checks that ran.",
        "2 个目标：1 个符合契约，1 个在已运行的检查中符合契约。",
    )
    assert "No deviation in 1 of 2 checks" in Page(files()["html"].render(made)).text
    console = console_for()
    with console.capture() as shown:
        console.print(text.render(made, Language.ENGLISH))
    assert "No deviation in 1 of 2 checks" in shown.get()


def test_documents_nobody_ran_stand_apart() -> None:
    assert [row.name for row in MATRIX.asked] == ["vendor", "other", "absent"]
    assert [row.name for row in MATRIX.others] == ["gpt-ge", "zhizengzeng", "eronmind"]
    nothing_asked = matrix_of([], DOCUMENTS)
    assert (len(nothing_asked.asked), nothing_asked.others) == (5, ())


def test_cell_has_the_state_and_the_worst_finding() -> None:
    cells = ROWS["vendor"].cells
    assert (cells["stop"].state, cells["stop"].evidence) == (State.IGNORED, "stop.five-refused")
    assert (cells["echo"].state, cells["echo"].evidence) == (State.HONOURED, None)
    assert (cells["usage"].state, cells["usage"].evidence) == (State.ALTERED, "usage.stated")
    assert (cells["best_of"].documented, cells["best_of"].seen) == (False, True)
    assert (cells["seed"].documented, cells["seed"].seen) == (False, False)


SHARED = Common(("zero", "aocheng"), frozenset({"stop.kept", "id.kept"}), frozenset({"stop"}))


def test_common_contract_counts_shared_promises_alone() -> None:
    run = a_run(
        a_finding("stop.kept", requirement="stop.kept"),
        a_failure("stop.own", requirement="stop.own"),
        a_finding("echo.kept", requirement="echo.kept"),
        subjects=SUBJECTS,
    )
    (row,) = matrix_of([Recorded("one", run)], (), SHARED).rows
    assert row.conclusion is Conclusion.NOT_CONFORMING
    assert row.cells["stop"].state is State.ALTERED
    assert row.common_conclusion is Conclusion.CONFORMING
    assert {name: cell.state for name, cell in row.common.items()} == {"stop": State.HONOURED}


def test_shared_promise_that_is_broken_counts() -> None:
    run = a_run(a_failure("stop.kept", requirement="stop.kept"), subjects=SUBJECTS)
    (row,) = matrix_of([Recorded("one", run)], (), SHARED).rows
    assert row.common_conclusion is Conclusion.NOT_CONFORMING
    assert (row.common["stop"].state, row.common["stop"].evidence) == (State.IGNORED, "stop.kept")


def test_common_contract_of_a_partial_run_says_so() -> None:
    limited = a_finding("stop.b", "skipped", requirement="id.kept", message="budget spent: 1")
    passed = a_finding("stop.kept", requirement="stop.kept")
    (row,) = matrix_of([Recorded("one", a_run(passed, limited))], (), SHARED).rows
    assert row.common_headline is not None
    assert row.common_headline.en == "No deviation in 1 of 2 checks"


def test_incomplete_run_never_conforms_to_the_common_contract() -> None:
    run = a_run(a_finding("stop.kept", requirement="stop.kept"), incomplete=True)
    (row,) = matrix_of([Recorded("one", run)], (), SHARED).rows
    assert row.common_conclusion is Conclusion.UNDECIDED
    untested = matrix_of([Recorded("one", a_run(a_finding("echo.a")))], (), SHARED)
    assert untested.rows[0].common_conclusion is None


def test_page_and_json_have_both_contracts() -> None:
    run = a_run(a_finding("stop.kept", requirement="stop.kept"), subjects=SUBJECTS)
    made = matrix_of([Recorded("one", run)], DOCUMENTS, SHARED)
    page = Page(files()["html"].render(made))
    assert {"contract-own", "contract-common", "common-parameters"} <= set(page.ids)
    (target, *_) = json.loads(files()["json"].render(made))["targets"]
    assert target["common_verdict"] == "conforming"
    state = {"state": "honoured", "documented": True, "expected": False}
    assert target["common_states"] == {"stop": state}
    without = Page(files()["html"].render(matrix_of([Recorded("one", run)], DOCUMENTS)))
    assert "contract-common" not in without.ids


def test_columns_cover_documented_and_tested_subjects() -> None:
    assert MATRIX.parameters == ("stop", "echo", "best_of")
    assert MATRIX.fields == ("usage",)


def test_subjects_list_their_checks() -> None:
    assert [subject.name for subject in MATRIX.subjects] == [
        "stop",
        "echo",
        "best_of",
        "usage",
        "seed",
    ]
    stop = MATRIX.subjects[0]
    assert [check.id for check in stop.checks] == ["stop.five-refused", "stop.four-served"]
    assert stop.checks[0].title.zh == "第五个停止序列被拒绝。"
    assert ROWS["vendor"].verdicts["stop.five-refused"] is Verdict.FAIL
    assert "stop.five-refused" not in ROWS["other"].verdicts


def test_incomplete_run_is_never_green() -> None:
    (row,) = matrix_of([Recorded("cut", a_run(a_finding(), incomplete=True))], ()).rows
    assert row.conclusion is Conclusion.INCOMPLETE
    assert row.cost is None


def test_explicit_reason_takes_precedence_in_a_row() -> None:
    failed = Text("something failed that should not have", "")
    (row,) = matrix_of([Recorded("cut", a_run(incomplete=True), because=failed)], ()).rows
    assert row.because == failed


# ── written down ─────────────────────────────────────────────────────────────────────────────────


def written(kind: str, language: Language = Language.ENGLISH) -> str:
    return files(language)[kind].render(MATRIX)


def test_page_is_the_last_of_the_files() -> None:
    assert [file.name for file in files().values()] == ["matrix.json", "matrix.md", "index.html"]


def test_json_has_states_and_verdicts() -> None:
    document = json.loads(written("json"))
    rows = {row["name"]: row for row in document["targets"]}
    vendor = rows["vendor"]
    assert vendor["verdict"] == "not conforming"
    assert vendor["report"] == "vendor/index.html"
    assert vendor["states"]["stop"] == {
        "state": "ignored",
        "documented": True,
        "expected": False,
    }
    assert vendor["verdicts"]["stop.five-refused"] == "fail"
    assert vendor["cost"]["tokens"] == 14_210
    assert (rows["absent"]["verdict"], rows["absent"]["model"]) == (None, "tiny")
    assert rows["absent"]["because"] == "Environment variable KEY is not set or is empty."
    assert document["checks"]["usage.stated"]["subject"] == "usage"


def test_markdown_has_a_line_per_target_and_parameter() -> None:
    lines = written("markdown").splitlines()
    assert "| [vendor](<vendor/index.html>) | Not conforming |" in "\n".join(lines)
    assert "| Parameter | vendor | other |" in lines
    assert "| `stop` | ✗ ignored | ✓ honoured |" in lines
    assert "| `best_of` | ✗ ignored | – |" in lines
    assert "| `usage` | ≠ altered | – |" in lines
    assert "| `stop` | ✗ 被忽略 | ✓ 符合 |" in written("markdown", Language.CHINESE)


def shown(language: Language) -> str:
    console = console_for(terminal=False)
    with console.capture() as captured:
        console.print(text.render(MATRIX, language))
    return captured.get()


def test_terminal_names_failures_and_counts_passes() -> None:
    lines = {line.split()[0]: line for line in shown(Language.ENGLISH).splitlines() if line.split()}
    assert "Not conforming" in lines["vendor"]
    assert "1/2" in lines["vendor"]
    assert "✗ stop  ≠ usage" in lines["vendor"]
    assert "best_of" not in lines["vendor"], "the document does not promise it"
    assert "KEY is not set" in lines["absent"]
    assert "未运行" in shown(Language.CHINESE)


@pytest.mark.parametrize("language", Language)
def test_page_has_words_in_both_languages(language: Language) -> None:
    page = Page(written("html", language), language)
    assert MATRIX.sentence.of(language) in page.text
    ignored = {Language.ENGLISH: "ignored", Language.CHINESE: "被忽略"}[language]
    assert ignored in page.text
    (root,) = page.tags("html")
    assert root["lang"] == language


def test_links_lead_to_evidence_and_checks() -> None:
    page = Page(written("html"))
    links = {link["href"] for link in page.tags("a")}
    assert {"vendor/index.html", "vendor/index.html#stop.five-refused", "#checks-stop"} <= links
    inner = {link.removeprefix("#") for link in links if link and link.startswith("#")}
    assert inner <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not any(link and link.startswith("other") for link in links), "it has no page"


def test_link_to_evidence_has_the_encoded_id() -> None:
    strange = a_failure('stop.a b#"c\u202e', subject="stop")
    recorded = Recorded("vendor", a_run(strange), "vendor/index.html")
    page = Page(files()["html"].render(matrix_of([recorded], ())))
    links = [link["href"] for link in page.tags("a") if "#stop" in (link["href"] or "")]
    assert set(links) == {"vendor/index.html#stop.a%20b%23%22c%E2%9F%A8U%2B202E%E2%9F%A9"}


def test_large_matrix_is_below_five_megabytes() -> None:
    matrix = matrix_of(many_runs(50, 150), DOCUMENTS)
    page = files()["html"].render(matrix)
    assert len(matrix.rows) == 50
    assert sum(len(subject.checks) for subject in matrix.subjects) == 150
    assert len(page.encode()) < 5_000_000


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("kind", files())
def test_attack_is_shown_as_text(attack: str, kind: str) -> None:
    hostile = Recorded(attack, a_hostile_run(attack), None, because=Text(attack, attack))
    made = files()[kind].render(matrix_of([hostile], DOCUMENTS))
    assert ACTING.findall(made) == []
    if kind == "html":
        harmless = Recorded("x", a_hostile_run("x"), None, because=Text("x", "x"))
        plain = Page(files()[kind].render(matrix_of([harmless], DOCUMENTS)))
        elements = [
            (tag, sorted(attributes)) for tag, attributes in Page(made).elements if tag != "code"
        ]
        assert elements == [
            (tag, sorted(attributes)) for tag, attributes in plain.elements if tag != "code"
        ]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_does_not_reach_a_terminal(attack: str) -> None:
    hostile = Recorded(attack, a_hostile_run(attack), because=Text(attack, attack))
    console = console_for(terminal=False)
    with console.capture() as captured:
        console.print(text.render(matrix_of([hostile], ()), Language.ENGLISH))
    assert ACTING.findall(captured.get()) == []
