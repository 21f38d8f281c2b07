"""From the outcome of a check to a verdict: every row of the table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.api import features_of
from conformance.contract import Contract, load_contract
from conformance.engine.verdicts import Ruling, as_information, rule
from conformance.judgement import (
    BudgetSpent,
    Failure,
    Inconclusive,
    NotApplicable,
    Refusal,
)
from conformance.model import Effect, Level, Request, Verdict

OPENAI = load_contract("openai")
ALL = replace(
    OPENAI,
    parameters=tuple(
        replace(parameter, promised=True, forms=dict.fromkeys(parameter.forms, True))
        for parameter in OPENAI.parameters
    ),
)
"""A contract that promises every parameter in every form."""
ZERO = load_contract("zero")


def refusal_of(**body: Any) -> Refusal:
    raw = json.dumps({"model": "m", "prompt": "1", **body}).encode()
    return Refusal(400, "no", features_of(raw), Request("POST", "/completions", raw))


@pytest.mark.parametrize(
    ("outcome", "level", "verdict"),
    [
        (None, Level.MUST, Verdict.PASS),
        (Failure("a", "b"), Level.MUST, Verdict.FAIL),
        (Failure("a", "b"), Level.SHOULD, Verdict.WARN),
        (Failure("a", "b"), Level.MAY, Verdict.WARN),
        (refusal_of(), Level.MUST, Verdict.FAIL),
        (refusal_of(), Level.SHOULD, Verdict.WARN),
        (Inconclusive("429"), Level.MUST, Verdict.INCONCLUSIVE),
        (NotApplicable("no limit"), Level.MUST, Verdict.SKIPPED),
        (BudgetSpent("budget spent"), Level.MUST, Verdict.SKIPPED),
        (KeyError("x"), Level.MUST, Verdict.ERROR),
        (AssertionError(), Level.MAY, Verdict.ERROR),
    ],
)
def test_every_outcome_has_its_verdict(
    outcome: Exception | None, level: Level, verdict: Verdict
) -> None:
    assert rule(outcome, level, OPENAI).verdict is verdict


@pytest.mark.parametrize(
    ("outcome", "effect"),
    [
        (None, None),
        (Failure("a", "b", effect=Effect.IGNORED), Effect.IGNORED),
        (refusal_of(seed=1), Effect.REFUSED),
    ],
)
@pytest.mark.parametrize("contract", [OPENAI, ZERO])
def test_undocumented_behaviour_is_information(
    outcome: Exception | None, effect: Effect | None, contract: Contract
) -> None:
    result = as_information(rule(outcome, Level.MUST, contract), "not in this document")
    assert (result.verdict, result.effect) == (Verdict.INFO, effect)
    assert result.message


@pytest.mark.parametrize("outcome", [Inconclusive("429"), NotApplicable("x"), KeyError("x")])
def test_inapplicable_check_stays_skipped(outcome: Exception) -> None:
    result = as_information(rule(outcome, Level.MUST, ZERO), "not in this document")
    assert result == Ruling(Verdict.SKIPPED, "not in this document")


def test_failure_shows_expected_and_seen() -> None:
    ruling = rule(Failure("four", "five", effect=Effect.IGNORED), Level.MUST, OPENAI)
    assert (ruling.expected, ruling.seen, ruling.effect) == ("four", "five", Effect.IGNORED)


def test_error_is_one_line_without_traceback() -> None:
    ruling = rule(KeyError("text"), Level.MUST, OPENAI)
    assert ruling.message == "internal error in the check: KeyError: 'text'"


def test_refused_parameter_has_the_effect_refused() -> None:
    assert rule(refusal_of(), Level.MUST, OPENAI).effect is Effect.REFUSED


@pytest.mark.parametrize(
    "body",
    [
        {"stop": ["a", "b"]},
        {"max_tokens": 5, "temperature": 0},
        {"stream": True},
        {"n": 2},
        {"n": 2, "temperature": 1},
        {"n": 1, "temperature": 0},
        {"best_of": 1, "stream": True},
        {"echo": True},
        {"echo": False, "logprobs": 1},
        {"prompt": ["a", "b"]},
    ],
)
def test_refusing_a_documented_parameter_fails(body: dict[str, Any]) -> None:
    assert rule(refusal_of(**body), Level.MUST, ALL).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "body",
    [
        {"echo": True, "logprobs": 0},
        {"n": 2, "temperature": 0},
        {"best_of": 3, "temperature": 0},
        {"best_of": 2, "stream": True},
        {"suffix": "end", "echo": True},
        {"suffix": "end", "prompt": ["a", "b"]},
    ],
)
def test_some_combinations_may_be_refused(body: dict[str, Any]) -> None:
    assert rule(refusal_of(**body), Level.MUST, ALL).verdict is Verdict.REFUSED


def test_optional_parameter_excuses_a_combined_refusal() -> None:
    assert not OPENAI.promises("echo")
    assert rule(refusal_of(stop="x", echo=True), Level.MUST, OPENAI).verdict is Verdict.REFUSED


@pytest.mark.parametrize("body", [{"nobody_knows_this": 1}, {"stream_options": {}}, {"seed": 1}])
def test_undocumented_parameter_may_be_refused(body: dict[str, Any]) -> None:
    assert rule(refusal_of(**body), Level.MUST, ZERO).verdict is Verdict.REFUSED


@pytest.mark.parametrize("values", [{"n": "two"}, {"best_of": [3]}, {"prompt": {"a": 1}}])
def test_body_with_wrong_types_is_judged(values: dict[str, Any]) -> None:
    assert rule(refusal_of(**values, temperature=0), Level.MUST, ALL).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("Field 'n': Value must be between 1 <= value <= 4, but got 6", "n"),
        ("n must be 1 when using greedy sampling", "n"),
        ("`logprobs` is not supported", "logprobs"),
        ("n is not supported together with logprobs", None),
        ("this isn't served, and the model doesn't know it", None),
        ("not supported", None),
    ],
)
def test_rejection_is_about_the_named_parameter(message: str, about: str | None) -> None:
    refusal = refusal_of(n=6, temperature=1, logprobs=1)
    ruling = rule(Refusal(400, message, refusal.features, refusal.request), Level.MUST, OPENAI)
    assert (ruling.verdict, ruling.subject) == (Verdict.REFUSED, about)
    assert as_information(ruling, "not in this document").subject is None
