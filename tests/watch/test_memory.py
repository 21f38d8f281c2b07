"""Regressions and recoveries are told once; what was not judged is neither."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from conformance.history import Entry
from conformance.history.entry import entry_of
from conformance.watch.memory import ENDPOINT, Kind, Memory, learned, unjudged
from tests.report.builders import a_run

START = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
STOP = "stop.five-refused"


def a_row(verdict: str | None, **changed: object) -> Entry:
    """A run that judged one check so, and another one as fine; None judged the other one alone."""
    row = entry_of(a_run(target="zero"), "", None)
    findings = {} if verdict in {"pass", None} else {STOP: verdict}
    passed = frozenset({"n.count", STOP} if verdict == "pass" else {"n.count"})
    return replace(row, findings=findings, passed=passed, **changed)


def told(*verdicts: str | None, confirms: bool = False, apart: timedelta = HOUR) -> list[str]:
    """Return what is told after each of several runs, as words."""
    memory, words = Memory(), []
    for number, verdict in enumerate(verdicts):
        found = learned(memory, a_row(verdict), START + number * apart, confirms=confirms)
        memory = Memory.from_json(json.loads(json.dumps(found.memory.as_json())))
        assert memory == found.memory
        words.append(" ".join(one.kind for one in found.news))
    return words


def test_first_run_is_what_is_compared_with() -> None:
    assert told("fail", "fail") == ["", ""]


def test_change_is_told_once() -> None:
    assert told("pass", "fail", "fail", "pass", "pass") == ["", "regression", "", "recovery", ""]


def test_change_is_told_when_confirmed() -> None:
    assert told("pass", "fail", "fail", confirms=True) == ["", "", "regression"]
    assert told("pass", "fail", "pass", "fail", "pass", confirms=True) == [""] * 5


def test_what_is_not_judged_is_neither() -> None:
    words = told("pass", "inconclusive", None, "error", "explained", "pass")
    assert words == [""] * 6
    assert told("pass", None, "fail", None, "fail", confirms=True)[-1] == "regression"


def test_expected_deviation_is_no_regression() -> None:
    assert told("pass", "expected", "expected") == [""] * 3


def test_flapping_is_told_once_then_settles() -> None:
    words = told(*["pass", "fail"] * 6)
    assert words[:5] == ["", "regression", "recovery", "regression", "unstable"]
    assert words[5:] == [""] * 7
    settled = told(*["pass", "fail"] * 3, *["fail"] * 30)
    assert [word for word in settled if word][3:] == ["unstable", "regression"]


def test_slow_changes_are_all_told() -> None:
    words = told("pass", "fail", "pass", "fail", "pass", "fail", apart=timedelta(hours=13))
    assert words == ["", "regression", "recovery", "regression", "recovery", "regression"]


def test_endpoint_that_cannot_be_judged_is_told() -> None:
    found = learned(Memory(), a_row("fail"), START, confirms=True)
    assert not found.is_open
    found = unjudged(found.memory, START + HOUR, confirms=True)
    assert found.is_open
    assert not found.news
    found = unjudged(found.memory, START + 2 * HOUR, confirms=True)
    assert [(one.kind, one.check) for one in found.news] == [(Kind.UNJUDGED, ENDPOINT)]
    found = learned(found.memory, a_row("fail"), START + 3 * HOUR, confirms=True)
    found = learned(found.memory, a_row("fail"), START + 4 * HOUR, confirms=True)
    assert [one.kind for one in found.news] == [Kind.JUDGED]


def test_run_that_judges_nothing_keeps_what_is_known() -> None:
    found = learned(Memory(), a_row("fail"), START, confirms=False)
    nothing = replace(a_row(None), passed=frozenset())
    found = learned(found.memory, nothing, START + HOUR, confirms=False)
    found = learned(found.memory, a_row("pass"), START + 2 * HOUR, confirms=False)
    assert {one.kind for one in found.news} == {Kind.JUDGED, Kind.RECOVERY}


def test_another_suite_begins_anew() -> None:
    found = learned(Memory(), a_row("pass"), START, confirms=False)
    found = learned(found.memory, a_row("fail", suite="9.9.9"), START + HOUR, confirms=False)
    assert not found.news
