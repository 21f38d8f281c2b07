"""What a run makes of the deviations that its file expects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.model import (
    EntryKind,
    ExitCode,
    Expectation,
    ExpectedFile,
    Finding,
    Run,
    State,
    Verdict,
)
from conformance.record.expected import with_expected
from tests.report.builders import a_failure, a_finding, a_run

TODAY = "2026-12-01"


def an_entry(*checks: str, line: int = 1, **changes: Any) -> Expectation:
    known: dict[str, Any] = {
        "kind": EntryKind.CHECK,
        "name": checks[0],
        "reason": "the vendor knows",
        "line": line,
        "checks": checks,
    }
    return Expectation(**{**known, **changes})


def judged(
    findings: list[Finding], *entries: Expectation, strict: bool = False, **changes: Any
) -> Run:
    run = a_run(
        *findings,
        strict=strict,
        started_at=f"{TODAY}T12:00:00+00:00",
        expected=ExpectedFile("expected.yaml", entries),
    )
    return with_expected(replace(run, **changes))


def test_expected_failure_exits_with_zero() -> None:
    run = judged([a_failure("a.b"), a_finding("c.d")], an_entry("a.b"))
    assert run.exit_code is ExitCode.CONFORMING
    assert run.expected is not None
    assert run.expected.known == ("a.b",)
    assert [finding.shown for finding in run.findings] == [Verdict.EXPECTED, Verdict.PASS]
    assert run.findings[0].verdict is Verdict.FAIL


def test_unlisted_failure_is_new() -> None:
    run = judged([a_failure("a.b"), a_failure("c.d")], an_entry("a.b"))
    assert run.expected is not None
    assert run.expected.new == ("c.d",)
    assert run.exit_code is ExitCode.NOT_CONFORMING


def test_listed_check_that_passes_is_stale() -> None:
    entry = an_entry("a.b")
    run = judged([a_finding("a.b"), a_finding("c.d")], entry)
    assert run.expected is not None
    assert run.expected.stale == (entry,)
    assert run.exit_code is ExitCode.NOT_CONFORMING


def test_intermittent_entry_is_never_stale() -> None:
    run = judged([a_finding("a.b")], an_entry("a.b", intermittent=True))
    assert run.exit_code is ExitCode.CONFORMING


@pytest.mark.parametrize("verdict", ["skipped", "explained", "inconclusive", "info"])
def test_unjudged_check_is_not_stale(verdict: str) -> None:
    run = judged([a_finding("a.b", verdict), a_finding("c.d")], an_entry("a.b"))
    assert run.expected is not None
    assert not run.expected.is_news


def test_check_outside_the_selection_is_not_stale() -> None:
    run = judged([a_finding("c.d")], an_entry("a.b"))
    assert run.exit_code is ExitCode.CONFORMING


def test_glob_is_stale_when_all_its_checks_pass() -> None:
    some = [a_finding("a.b"), a_failure("a.c")]
    assert not judged(some, an_entry("a.b", "a.c")).expected.stale  # type: ignore[union-attr]
    every = [a_finding("a.b"), a_finding("a.c")]
    assert judged(every, an_entry("a.b", "a.c")).expected.stale  # type: ignore[union-attr]


def test_glob_with_unrun_checks_is_not_stale() -> None:
    run = judged([a_finding("a.b")], an_entry("a.b", "a.deep"))
    assert run.exit_code is ExitCode.CONFORMING


@pytest.mark.parametrize(
    ("expires", "code"),
    [
        (TODAY, ExitCode.CONFORMING),
        ("2026-11-30", ExitCode.NOT_CONFORMING),
    ],
)
def test_last_day_of_an_entry_counts(expires: str, code: ExitCode) -> None:
    run = judged([a_failure("a.b")], an_entry("a.b", expires=expires))
    assert run.exit_code is code
    assert run.expected is not None
    assert bool(run.expected.expired) is bool(code)


def test_expired_entry_of_unselected_check_is_tolerated() -> None:
    run = judged([a_finding("c.d")], an_entry("a.b", expires="2026-11-30"))
    assert run.exit_code is ExitCode.CONFORMING


def test_entry_expects_only_its_verdict() -> None:
    entry = an_entry("a.b", verdict=Verdict.WARN)
    run = judged([a_failure("a.b")], entry)
    assert run.expected is not None
    assert (run.expected.new, run.expected.stale) == (("a.b",), (entry,))


def test_entry_expects_only_its_state() -> None:
    ignored = a_failure("stop.five-refused")
    for state, code in ((State.IGNORED, 1), (State.ALTERED, 0)):
        run = judged([ignored, a_finding("stop.works")], an_entry(ignored.id, state=state))
        assert run.exit_code == code, state


def test_inconclusive_check_stays_open_unless_expected() -> None:
    findings = [a_finding("a.b", "inconclusive"), a_finding("c.d")]
    assert judged(findings).exit_code is ExitCode.UNDECIDED
    entry = an_entry("a.b", verdict=Verdict.INCONCLUSIVE)
    assert judged(findings, entry).exit_code is ExitCode.CONFORMING


def test_expected_failure_leaves_an_open_check_open() -> None:
    run = judged([a_failure("a.b"), a_finding("c.d", "error")], an_entry("a.b"))
    assert run.exit_code is ExitCode.UNDECIDED


def test_warning_is_new_only_in_a_strict_run() -> None:
    warning = a_finding("a.b", "warn")
    assert judged([warning]).exit_code is ExitCode.CONFORMING
    assert judged([warning], strict=True).exit_code is ExitCode.NOT_CONFORMING
    assert judged([warning], an_entry("a.b"), strict=True).exit_code is ExitCode.CONFORMING


def test_explained_findings_need_no_entry() -> None:
    follows = a_finding("c.d", "explained", explained_by="a.b")
    run = judged([a_failure("a.b"), follows], an_entry("a.b"))
    assert run.exit_code is ExitCode.CONFORMING


def test_incomplete_run_stays_interrupted() -> None:
    run = judged([a_failure("a.b")], an_entry("a.b"), footer=None)
    assert run.exit_code is ExitCode.INTERRUPTED
