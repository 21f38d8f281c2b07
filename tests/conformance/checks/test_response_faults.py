"""Every fault of answers is found by the checks it concerns, and every check finds a fault."""

from __future__ import annotations

import asyncio

import pytest

from conformance.discovery import all_checks
from conformance.model import Verdict
from tests.conformance.checks import response_fault_finders
from tests.conformance.checks.answer_faults import ANSWERS
from tests.conformance.checks.error_faults import ERRORS
from tests.conformance.checks.logprob_faults import LOGPROBS
from tests.conformance.checks.rewriting import Change, checks_of, findings
from tests.conformance.checks.stream_faults import STREAMS

FILES = (
    "auth.directed",
    "index.directed",
    "echo.logprobs",
    "echo.logprobs_batched",
    "envelope.directed",
    "model.named-in-answer",
    "model.named-in-stream",
    "errors.directed",
    "finish_reason.directed",
    "headers.directed",
    "logprobs.directed",
    "logprobs.limits",
    "logprobs.arrays",
    "logprobs.text_offset",
    "streaming.directed",
    "streaming.limits",
    "streaming.text",
    "stream_options.directed",
    "stream_options.limits",
    "text.directed",
    "usage.directed",
)
"""The files whose checks judge streams, log probabilities and answers."""

FAULTS: dict[str, Change] = {**STREAMS, **LOGPROBS, **ANSWERS, **ERRORS}
FOUND_BY = {fault: finders.split() for fault, finders in response_fault_finders.FOUND_BY.items()}

MISSHAPEN = (
    "ndjson",
    "delta",
    "index-missing-streamed",
    "logprobs-chat-shape",
    "array-missing",
    "tokens-as-ids",
    "scores-not-numbers",
    "nan",
    "choices-empty",
    "choices-object",
    "choices-dropped",
    "text-in-message",
    "index-missing",
    "usage-strings",
    "html",
    "error-is-a-string",
)
"""Faults that take away what a careless check would reach for."""

ELSEWHERE = {"logprobs.true"}
"""In force under another contract alone."""


def test_every_fault_has_a_finder() -> None:
    assert FOUND_BY.keys() == FAULTS.keys()


def test_every_check_finds_a_fault() -> None:
    found = {check for finders in FOUND_BY.values() for check in finders}
    assert found >= {check.id for check in checks_of(*FILES)} - ELSEWHERE


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_fault_is_found(name: str) -> None:
    wanted = [check for check in all_checks() if check.id in FOUND_BY[name]]
    found = asyncio.run(findings(FAULTS[name], wanted))
    blind = {
        key: (finding.verdict.value, finding.message)
        for key, finding in found.items()
        if finding.verdict not in {Verdict.FAIL, Verdict.WARN}
    }
    assert not blind


@pytest.mark.parametrize("name", MISSHAPEN)
def test_no_answer_breaks_a_check(name: str) -> None:
    found = asyncio.run(findings(FAULTS[name], checks_of(*FILES)))
    broken = {
        key: finding.message for key, finding in found.items() if finding.verdict is Verdict.ERROR
    }
    assert not broken


def test_a_boolean_that_is_ignored_is_found_where_a_document_promises_it() -> None:
    drop = Change(ask=lambda body: {k: v for k, v in body.items() if v is not True})
    wanted = [check for check in all_checks() if check.id == "logprobs.true"]
    found = asyncio.run(findings(drop, wanted, "zhizengzeng"))
    assert found["logprobs.true"].verdict is Verdict.WARN
