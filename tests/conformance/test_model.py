"""What a run's findings add up to."""

from __future__ import annotations

import dataclasses
import inspect
from types import ModuleType

import pytest

from conformance import events, model
from conformance.model import (
    EXIT_CODES,
    Conclusion,
    Cost,
    Effect,
    Exchange,
    ExitCode,
    Finding,
    Level,
    Request,
    State,
    Target,
    Tier,
    Verdict,
    conclude,
    count_verdicts,
    state_of,
)

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
def test_doubt_is_never_green_and_a_broken_promise_outweighs_it(
    verdicts: list[Verdict], conclusion: Conclusion
) -> None:
    assert conclude(map(finding, verdicts)) is conclusion


def test_strictness_makes_a_warning_a_broken_promise() -> None:
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
def test_the_worst_finding_about_a_parameter_decides_its_state(
    findings: list[Finding], state: State
) -> None:
    assert state_of("stop", findings) is state


def test_every_verdict_is_counted_also_when_it_did_not_occur() -> None:
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


@pytest.mark.parametrize(
    ("tier", "held"),
    [
        (Tier.SMOKE, {Tier.SMOKE}),
        (Tier.STANDARD, {Tier.SMOKE, Tier.STANDARD}),
        (Tier.DEEP, {Tier.SMOKE, Tier.STANDARD, Tier.DEEP}),
    ],
)
def test_each_tier_holds_the_ones_before_it(tier: Tier, held: set[Tier]) -> None:
    assert {other for other in Tier if tier.holds(other)} == held


def test_every_conclusion_has_its_exit_code() -> None:
    assert set(EXIT_CODES) == set(Conclusion)
    assert EXIT_CODES[Conclusion.CONFORMING] is ExitCode.CONFORMING
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5]


def test_a_key_does_not_show_where_its_target_does() -> None:
    assert "sk-secret" not in repr(Target("http://h/v1", "m", "openai", "sk-secret"))


def test_headers_are_found_whatever_their_case() -> None:
    headers = (("X-Request-Id", "1"), ("x-request-id", "2"))
    exchange = Exchange("x1", Request("GET", "/"), (), 200, headers, b"", (), 0.0)
    assert exchange.header("x-REQUEST-id") == "1"
    assert exchange.header("absent") is None


def test_a_cost_is_the_sum_of_what_was_billed_and_what_was_guessed() -> None:
    assert Cost(9, 1, 2, 3).tokens == 6


@pytest.mark.parametrize("module", [model, events])
def test_every_record_is_frozen(module: ModuleType) -> None:
    classes = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__
    ]
    records = [kind for kind in classes if dataclasses.is_dataclass(kind)]
    assert records
    assert all(kind.__dataclass_params__.frozen for kind in records)
