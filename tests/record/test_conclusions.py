"""The conclusion of a run from its findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.message import say
from conformance.model import (
    Conclusion,
    Effect,
    Finding,
    Level,
    State,
    Subject,
    Tier,
    Verdict,
)
from conformance.record.conclusions import conclude, count_verdicts, state_of

PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN
REFUSED, SKIPPED = Verdict.REFUSED, Verdict.SKIPPED
EXPLAINED = Verdict.EXPLAINED
INCONCLUSIVE, ERROR, INFO = Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.INFO


STOP = Subject("stop", "parameter", True, "", {})
USAGE = Subject("usage", "field", True, "", {})


def finding(
    verdict: Verdict,
    effect: Effect | None = None,
    subject: str = "stop",
    *,
    level: Level = Level.MUST,
    sees_effect: bool = False,
) -> Finding:
    return Finding(
        "a.b",
        "It holds.",
        "a.b",
        level,
        subject,
        Tier.SMOKE,
        verdict,
        effect=effect,
        sees_effect=sees_effect,
    )


SEEN = finding(PASS, sees_effect=True)
"""The finding of a check that would have failed if the parameter had no effect."""


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
        ([SEEN, finding(REFUSED)], State.REFUSED),
        ([SEEN, finding(FAIL, Effect.ALTERED)], State.ALTERED),
        ([finding(WARN, Effect.ALTERED)], State.ALTERED),
        ([finding(FAIL, Effect.ALTERED), finding(FAIL, Effect.IGNORED)], State.IGNORED),
        ([finding(PASS), finding(FAIL, Effect.REFUSED)], State.REFUSED),
        ([finding(FAIL, Effect.REFUSED), finding(FAIL, Effect.ALTERED)], State.ALTERED),
        ([finding(INFO), finding(INFO, Effect.REFUSED)], State.REFUSED),
        ([finding(INFO, Effect.ALTERED), finding(INFO, Effect.IGNORED)], State.IGNORED),
        ([finding(FAIL, Effect.IGNORED, subject="echo")], State.UNTESTED),
    ],
)
def test_worst_finding_decides_a_parameters_state(findings: list[Finding], state: State) -> None:
    assert state_of(STOP, findings) is state


def test_only_parameters_are_refused() -> None:
    refused = finding(REFUSED, subject="usage")
    assert state_of(USAGE, [refused]) is State.UNTESTED
    assert state_of(USAGE, [refused, finding(PASS, subject="usage")]) is State.HONOURED


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([SEEN, finding(PASS), finding(SKIPPED)], State.HONOURED),
        ([finding(INFO, sees_effect=True), finding(SKIPPED)], State.HONOURED),
        ([finding(PASS), finding(SKIPPED)], State.ACCEPTED),
        ([finding(INFO)], State.ACCEPTED),
        ([finding(WARN, level=Level.MAY)], State.ACCEPTED),
    ],
)
def test_only_a_seen_effect_is_honoured(findings: list[Finding], state: State) -> None:
    assert state_of(STOP, findings) is state


def test_response_field_needs_no_effect() -> None:
    assert state_of(USAGE, [finding(PASS, subject="usage")]) is State.HONOURED


def test_seen_effect_means_not_ignored() -> None:
    assert state_of(STOP, [SEEN, finding(FAIL, Effect.IGNORED)]) is State.ALTERED


def test_recommended_default_does_not_mean_ignored() -> None:
    default = finding(WARN, Effect.IGNORED, level=Level.SHOULD)
    assert state_of(STOP, [default]) is State.ALTERED
    telling = finding(WARN, Effect.IGNORED, level=Level.SHOULD, sees_effect=True)
    assert state_of(STOP, [default, telling]) is State.IGNORED


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([finding(INCONCLUSIVE), finding(SKIPPED)], State.UNCLEAR),
        ([SEEN, finding(INCONCLUSIVE), finding(ERROR)], State.UNCLEAR),
        ([SEEN, finding(INCONCLUSIVE)], State.HONOURED),
        ([SEEN, finding(EXPLAINED), finding(EXPLAINED)], State.UNCLEAR),
        ([SEEN, *[finding(EXPLAINED, Effect.ALTERED)] * 2], State.HONOURED),
        ([finding(INCONCLUSIVE), finding(FAIL, Effect.ALTERED)], State.ALTERED),
        ([finding(SKIPPED)], State.UNTESTED),
        ([], State.UNTESTED),
    ],
)
def test_mostly_inconclusive_is_unclear(findings: list[Finding], state: State) -> None:
    assert state_of(STOP, findings) is state


def test_every_verdict_is_counted_including_zeros() -> None:
    assert count_verdicts([finding(PASS), finding(PASS), finding(WARN)]) == {
        "pass": 2,
        "fail": 0,
        "warn": 1,
        "refused": 0,
        "inconclusive": 0,
        "explained": 0,
        "skipped": 0,
        "info": 0,
        "error": 0,
    }


def test_field_wrong_like_its_sibling_is_unclear() -> None:
    prompt = Subject("usage.prompt_tokens", "field", True, "", {})
    passed = finding(PASS, subject=prompt.name)
    alike = replace(passed, verdict=EXPLAINED, explained_by="usage.completion", seen=say("0"))
    assert state_of(prompt, [passed, alike]) is State.UNCLEAR
    other = replace(alike, explained_by="echo.prompt-first")
    assert state_of(prompt, [passed, other]) is State.HONOURED
