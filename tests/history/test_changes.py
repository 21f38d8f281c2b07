"""What changed between two runs, and what only was not judged."""

from __future__ import annotations

from typing import Any

from conformance.history import Entry
from conformance.history.changes import Step, steps
from tests.history.entries import an_entry

STOP = "stop.string"


def told(entries: list[Entry]) -> list[tuple[list[str], list[str]]]:
    """Return the regressions and recoveries of each run."""
    return [
        ([turn.check for turn in step.regressions], [turn.check for turn in step.recoveries])
        for step in steps(entries)
    ]


def days(*verdicts: str | None, **changes: Any) -> list[Entry]:
    """Return a run a day with a verdict of one check; None leaves the check out."""
    return [
        an_entry(
            day,
            {} if verdict in {None, "pass"} else {STOP: str(verdict)},
            () if verdict is None else (STOP,),
            **changes,
        )
        for day, verdict in enumerate(verdicts)
    ]


def test_regression_and_recovery_are_told_once() -> None:
    entries = days("pass", "fail", "fail", "pass", "pass")
    assert told(entries) == [([], []), ([STOP], []), ([], []), ([], [STOP]), ([], [])]


def test_first_run_has_no_regressions() -> None:
    (step,) = steps(days("fail"))
    assert (step.appeared, step.regressions, step.before) == ({STOP: "fail"}, (), None)


def test_unjudged_runs_are_passed_over() -> None:
    for unjudged in ("inconclusive", "error", "expected", None):
        assert told(days("fail", unjudged, "fail"))[1:] == [([], []), ([], [])]
        assert told(days("pass", unjudged, "pass"))[1:] == [([], []), ([], [])]
    first, _, last = steps(days("pass", "inconclusive", "warn"))
    (turn,) = last.regressions
    assert (turn.was, turn.now, turn.before) == ("pass", "warn", first.entry)


def test_refusals_are_no_deviations() -> None:
    assert told(days("pass", "refused", "pass"))[1:] == [([], []), ([], [])]
    assert told(days("fail", "refused", "fail"))[1:] == [([], [STOP]), ([STOP], [])]


def test_other_suite_begins_anew() -> None:
    for changes in ({"suite": "0.2.0"}, {"contract": "1" * 64}):
        old, new = days("pass", "fail"), days("fail", "fail", "pass", **changes)
        found: list[Step] = list(steps([old[0], *new]))
        assert [step.is_comparable for step in found] == [True, False, True, True]
        assert [step.is_change for step in found] == [False, False, False, True]


def test_series_are_apart() -> None:
    mixed = [
        entry
        for here, there in zip(
            days("pass", "pass"), days("fail", "fail", region="fra", tier="deep"), strict=True
        )
        for entry in (here, there)
    ]
    assert not any(step.is_change for step in steps(mixed))
