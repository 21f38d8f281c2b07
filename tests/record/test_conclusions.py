"""The conclusion of a run from its findings."""

from __future__ import annotations

import pytest

from conformance.model import Conclusion, Effect, Finding, Level, State, Tier, Verdict
from conformance.record.conclusions import conclude, count_verdicts, state_of

PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN
REFUSED, SKIPPED = Verdict.REFUSED, Verdict.SKIPPED
INCONCLUSIVE, ERROR, INFO = Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.INFO


def finding(verdict: Verdict, effect: Effect | None = None, subject: str = "stop") -> Finding:
    return Finding(
        "a.b", "It holds.", "a.b", Level.MUST, subject, Tier.SMOKE, verdict, effect=effect
    )


@pytest.mark.parametrize(
    ("verdicts", "conclusion"),
    [
        ([PASS], Conclusion.CONFORMING),
        ([PASS, SKIPPED, REFUSED, WARN], Conclusion.CONFORMING),
        ([REFUSED], Conclusion.CONFORMING),
        ([PASS, FAIL], Conclusion.NOT_CONFORMING),
        ([FAIL, INCONCLUSIVE, ERROR], Conclusion.NOT_CONFORMING),
        ([PASS, INCONCLUSIVE], Conclusion.UNDECIDED),
        ([PASS, ERROR], Conclusion.UNDECIDED),
        ([SKIPPED], Conclusion.NOTHING_RAN),
        ([], Conclusion.NOTHING_RAN),
    ],
)
def test_failure_outweighs_doubt_which_is_never_green(
    verdicts: list[Verdict], conclusion: Conclusion
) -> None:
    assert conclude(map(finding, verdicts)) is conclusion


def test_strict_mode_makes_a_warning_a_failure() -> None:
    assert conclude([finding(WARN)]) is Conclusion.CONFORMING
    assert conclude([finding(WARN)], strict=True) is Conclusion.NOT_CONFORMING


@pytest.mark.parametrize("strict", [False, True])
def test_information_is_no_verdict(strict: bool) -> None:
    ignored = finding(INFO, Effect.IGNORED)
    assert conclude([finding(PASS), ignored], strict=strict) is Conclusion.CONFORMING
    assert conclude([ignored], strict=strict) is Conclusion.NOTHING_RAN


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([finding(PASS)], State.HONOURED),
        ([finding(PASS), finding(REFUSED)], State.REFUSED),
        ([finding(PASS), finding(FAIL, Effect.ALTERED)], State.ALTERED),
        ([finding(WARN, Effect.ALTERED)], State.ALTERED),
        ([finding(FAIL, Effect.ALTERED), finding(FAIL, Effect.IGNORED)], State.IGNORED),
        ([finding(PASS), finding(FAIL, Effect.REFUSED)], State.REFUSED),
        ([finding(FAIL, Effect.REFUSED), finding(FAIL, Effect.ALTERED)], State.ALTERED),
        ([finding(PASS), finding(SKIPPED)], State.HONOURED),
        ([finding(SKIPPED), finding(INCONCLUSIVE)], State.UNTESTED),
        ([finding(INFO), finding(SKIPPED)], State.HONOURED),
        ([finding(INFO), finding(INFO, Effect.REFUSED)], State.REFUSED),
        ([finding(INFO, Effect.ALTERED), finding(INFO, Effect.IGNORED)], State.IGNORED),
        ([finding(FAIL, Effect.IGNORED, subject="echo")], State.UNTESTED),
        ([], State.UNTESTED),
    ],
)
def test_worst_finding_decides_a_parameters_state(findings: list[Finding], state: State) -> None:
    assert state_of("stop", findings) is state


def test_every_verdict_is_counted_including_zeros() -> None:
    assert count_verdicts([finding(PASS), finding(PASS), finding(WARN)]) == {
        "pass": 2,
        "fail": 0,
        "warn": 1,
        "refused": 0,
        "inconclusive": 0,
        "skipped": 0,
        "info": 0,
        "error": 0,
    }
