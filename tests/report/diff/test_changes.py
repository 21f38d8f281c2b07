"""Which changes of a verdict are regressions, fixes or inconclusive."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from conformance.language import Language
from conformance.model import Conclusion, Cost, Effect, ExitCode, State, Tier, Verdict
from conformance.report.diff import compare
from conformance.report.diff.changes import Change, Turned
from tests.cases import for_each_case
from tests.report.builders import a_failure, a_finding, a_run, a_subject

CHECK = "stop.five-refused"

JUDGED = ("pass", "refused", "warn", "fail")
UNSURE = ("inconclusive", "error")
SILENT = ("explained", "skipped", "info")
UNKNOWN = (*UNSURE, "skipped")

TURNS: dict[tuple[str, str], Change | None] = {
    ("pass", "fail"): Change.BROKE,
    ("pass", "warn"): Change.BROKE,
    ("pass", "refused"): Change.BROKE,
    ("refused", "fail"): Change.BROKE,
    ("refused", "warn"): Change.BROKE,
    ("warn", "fail"): Change.BROKE,
    ("fail", "pass"): Change.FIXED,
    ("fail", "refused"): Change.FIXED,
    ("fail", "warn"): Change.FIXED,
    ("warn", "pass"): Change.FIXED,
    ("warn", "refused"): Change.FIXED,
    ("refused", "pass"): Change.FIXED,
    ("fail", "fail"): Change.STILL,
    ("warn", "warn"): Change.STILL,
    ("pass", "pass"): None,
    ("refused", "refused"): None,
    **dict.fromkeys(product(JUDGED, UNSURE), Change.UNSURE),
    **dict.fromkeys(product(JUDGED, SILENT), Change.UNJUDGED),
    **dict.fromkeys(product(UNSURE + SILENT, JUDGED), Change.SETTLED),
    **dict.fromkeys(product(UNKNOWN, ["fail"]), Change.BROKE),
    **dict.fromkeys(product(UNSURE + SILENT, UNSURE + SILENT)),
}


def test_every_verdict_change_is_in_the_table() -> None:
    judged = (verdict.value for verdict in Verdict if verdict is not Verdict.EXPECTED)
    every = product(judged, repeat=2)
    assert set(every) == set(TURNS)


@for_each_case(("turn", "change"), TURNS.items(), ids=str)
def test_change_of_a_verdict_is_classified(turn: tuple[str, str], change: Change | None) -> None:
    result = compare(*(a_run(a_finding(CHECK, verdict)) for verdict in turn))
    assert [one.change for one in result.changes] == ([change] if change else [])


def test_check_in_one_run_is_new_or_gone() -> None:
    old = a_run(a_finding("stop.kept"), a_finding("stop.gone"))
    result = compare(old, a_run(a_finding("stop.kept"), a_failure("stop.new")))
    assert [(one.change, one.finding.id) for one in result.changes] == [
        (Change.NEW, "stop.new"),
        (Change.GONE, "stop.gone"),
    ]
    assert result.exit_code is ExitCode.CONFORMING


def test_changes_are_sorted_by_kind_and_id() -> None:
    then = ("b.mended", "fail"), ("a.mended", "fail"), ("z.broke", "pass"), ("c.unsure", "pass")
    now = ("a.mended", "pass"), ("b.mended", "pass"), ("c.unsure", "error"), ("z.broke", "fail")
    result = compare(*(a_run(*(a_finding(*one) for one in run)) for run in (then, now)))
    assert [one.finding.id for one in result.changes] == [
        "z.broke",
        "c.unsure",
        "a.mended",
        "b.mended",
    ]


@pytest.mark.parametrize(
    ("then", "now", "code"),
    [
        (["pass", "fail"], ["fail", "pass"], ExitCode.NOT_CONFORMING),
        (["pass", "pass"], ["fail", "error"], ExitCode.NOT_CONFORMING),
        (["pass", "fail"], ["inconclusive", "pass"], ExitCode.UNDECIDED),
        (["pass"], ["error"], ExitCode.UNDECIDED),
        (["fail", "fail"], ["fail", "pass"], ExitCode.CONFORMING),
        (["pass", "pass"], ["pass", "skipped"], ExitCode.CONFORMING),
        (["skipped"], ["fail"], ExitCode.NOT_CONFORMING),
        (["pass"], ["skipped"], ExitCode.NOTHING_RAN),
        ([], [], ExitCode.NOTHING_RAN),
    ],
)
def test_exit_code_shows_a_regression(then: list[str], now: list[str], code: ExitCode) -> None:
    runs = [
        a_run(*(a_finding(f"stop.{place}", verdict) for place, verdict in enumerate(verdicts)))
        for verdicts in (then, now)
    ]
    assert compare(*runs).exit_code is code


def test_incomplete_newer_run_is_undecided() -> None:
    whole, cut = a_run(a_finding()), a_run(a_finding(), incomplete=True)
    assert compare(whole, cut).exit_code is ExitCode.UNDECIDED
    assert compare(cut, whole).exit_code is ExitCode.CONFORMING
    assert compare(whole, a_run(a_failure(), incomplete=True)).exit_code is ExitCode.NOT_CONFORMING
    assert compare(cut, whole).figures[0].cost is None


def test_sentence_has_counts_in_both_languages() -> None:
    then = a_run(*(a_finding(f"stop.{n}") for n in range(4)), a_failure("stop.bad"))
    now = a_run(
        a_failure("stop.0"),
        a_failure("stop.1"),
        a_finding("stop.2", "inconclusive"),
        a_finding("stop.3"),
        a_finding("stop.bad"),
    )
    result = compare(then, now)
    assert result.sentence.of(Language.ENGLISH) == (
        "2 checks regressed; 1 check now inconclusive; 1 check fixed; "
        "1 of 4 checks in both runs unchanged."
    )
    assert result.sentence.of(Language.CHINESE) == (
        "2 项检查退化；1 项检查变为无法判定；1 项检查已修复；"
        "两次运行都得出判定的 4 项检查中，1 项判定未变。"
    )


def test_other_endpoint_contract_tier_or_version_is_noticed() -> None:
    old = a_run(a_finding())
    new = a_run(
        a_finding(),
        base_url="http://other/v1",
        model="`huge`",
        contract="zero",
        tier=Tier.DEEP,
        select=("stop.*",),
        suite_version="9.9",
    )
    said = "\n".join(notice.en for notice in compare(old, new).notices)
    for was, now in [
        ("http://127.0.0.1:8000/v1", "http://other/v1"),
        ("tiny", "'huge'"),
        ("openai", "zero"),
        ("standard", "deep"),
        ("*", "stop.*"),
        ("0.1.0", "9.9"),
    ]:
        assert f"`{was}` before, `{now}` now" in said
    assert "matched by id" in said
    assert compare(old, old).notices == ()


def test_incomplete_or_inconclusive_run_is_noticed() -> None:
    whole = a_run(a_finding())
    cut = compare(a_run(a_finding(), incomplete=True), whole).notices
    assert [notice.en for notice in cut] == [
        "The older run is incomplete; only its verdicts so far are compared."
    ]
    down = a_run(reason="there is nothing", conclusion=Conclusion.UNDECIDED)
    assert [notice.en for notice in compare(whole, down).notices] == [
        "The newer run stopped early: Inconclusive."
    ]


def test_changed_state_is_reported_with_its_weight() -> None:
    old = a_run(a_finding(), subjects=(a_subject("stop"), a_subject("only-then")))
    new = a_run(
        a_failure(effect=Effect.IGNORED), subjects=(a_subject("stop"), a_subject("only-now"))
    )
    assert compare(old, new).turned == (Turned("stop", "parameter", State.HONOURED, State.IGNORED),)
    (worse,), (better,) = compare(old, new).turned, compare(new, old).turned
    assert (worse.is_worse, worse.is_better) == (True, False)
    assert (better.is_worse, better.is_better) == (False, True)
    unseen = Turned("stop", "parameter", State.HONOURED, State.UNTESTED)
    assert (unseen.is_worse, unseen.is_better) == (False, False)


def test_cost_is_shown_for_each_run() -> None:
    old, new = a_run(a_finding()), a_run(a_finding())
    assert new.footer is not None
    new = replace(new, footer=replace(new.footer, cost=Cost(1, 2, 3, 4), elapsed=5.0))
    then, now = compare(old, new).figures
    assert (then.cost, then.elapsed) == (Cost(118, 9_800, 4_410, 0), 41.2)
    assert (now.cost, now.elapsed) == (Cost(1, 2, 3, 4), 5.0)
