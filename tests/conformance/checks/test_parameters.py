"""Every check of a request parameter finds what it is there for, and nothing where all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain

import pytest

from conformance.checks import Check
from conformance.contract import DOCUMENTS, load_contract
from conformance.discovery import all_checks
from conformance.model import Verdict
from conformance.selection import reason_to_skip
from tests.conformance.checks import faults_at_once, faults_of_generation, faults_of_text
from tests.conformance.checks import parameter_faults as made
from tests.conformance.checks.faulty import Body, Fault, found
from tests.conformance.checks.parameter_faults import Row
from tests.conformance.checks.rewriting import file_of

AREAS = {
    *("model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "best_of", "stop"),
    *("echo", "penalties", "logit_bias", "seed", "user", "unknown_key"),
}
FILES = {"directed", "limits", "batched", "frequencies"}
OF_RESPONSES = {"model.named-in-answer", "model.named-in-stream", "model.chat-only-refused"}


def is_of_a_parameter(check: Check) -> bool:
    """Whether a check judges what a parameter does."""
    area, _, file = file_of(check).partition(".")
    known = area in AREAS and file in FILES and check.id not in OF_RESPONSES
    return known or file_of(check) == "finish_reason.batched"


CHECKS = {check.id: check for check in all_checks() if is_of_a_parameter(check)}

STATED_ELSEWHERE = {
    "max-tokens.unlimited": "zhizengzeng",
    "temperature.with-top-p-harmless": "zhizengzeng",
    "best-of.equal-refused": "zhizengzeng",
    "seed.default-one": "zhizengzeng",
}
"""Checks of what only some documents state, and one that does."""


def of_refusals() -> Iterator[Row]:
    """Whatever must be declined is served instead, or breaks the endpoint."""
    yield from (("lenient", Fault(ask=made.lenient), check) for check in refusing())
    broken = Fault(decline=lambda _, error: (500, error))
    yield from (("500 for bad input", broken, check) for check in refusing())
    not_found = Fault(decline=lambda _, error: (400, error))
    yield "400 for an unknown model", not_found, "model.unknown-is-404"


def refusing() -> Iterator[str]:
    """The checks that hold a request to be declined."""
    named = {check_id for check_id in CHECKS if "refused" in check_id}
    yield from sorted(named - {"best-of.equal-refused", "prompt.over-context-refused"})


TABLES = (
    of_refusals,
    faults_of_text.of_prompt,
    faults_of_text.of_suffix,
    faults_of_text.of_stop,
    faults_of_text.of_echo,
    faults_of_generation.of_max_tokens,
    faults_of_generation.of_temperature,
    faults_of_generation.of_top_p,
    faults_of_generation.of_n,
    faults_of_generation.of_best_of,
    faults_of_generation.of_penalties,
    faults_of_generation.of_logit_bias,
    faults_of_generation.of_seed,
    faults_of_generation.of_user_and_unknown_key,
    faults_at_once.of_batches,
)


def in_force(contract: str) -> list[str]:
    """The checks that have something to judge under a contract."""
    stated = load_contract(contract)
    return [name for name, check in CHECKS.items() if reason_to_skip(check, stated) is None]


CASES = [
    (name, fault, check)
    for name, fault, ids in chain.from_iterable(table() for table in TABLES)
    for check in ids.split()
]


@pytest.mark.parametrize(
    ("name", "fault", "check_id"),
    [pytest.param(*case, id=f"{case[0]}: {case[2]}") for case in CASES],
)
def test_the_fault_is_found(name: str, fault: Fault, check_id: str) -> None:
    contract = STATED_ELSEWHERE.get(check_id, "openai")
    finding = asyncio.run(found(check_id, fault, contract))
    broken = {Verdict.FAIL, Verdict.WARN}
    if "refused" in name:  # what was not promised may be declined, and the finding says so
        broken.add(Verdict.REFUSED)
    assert finding.verdict in broken, finding.message


@pytest.mark.parametrize("contract", DOCUMENTS)
def test_a_right_endpoint_is_left_alone(contract: str) -> None:
    for check_id in in_force(contract):
        finding = asyncio.run(found(check_id, Fault(), contract))
        right = finding.verdict in {Verdict.PASS, Verdict.SKIPPED}
        assert right, f"{check_id}: {finding.message}"


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty"])
def test_where_no_range_is_stated_a_value_may_be_declined_but_not_the_parameter(name: str) -> None:
    check_id = f"{name.replace('_', '-')}.effect"
    for declined, verdict in (
        (made.declines(lambda body: bool(body.get(name))), Verdict.SKIPPED),
        (made.declines(lambda body: name in body), Verdict.FAIL),
    ):
        finding = asyncio.run(found(check_id, declined, "aocheng"))
        assert finding.verdict is verdict, finding.message


@pytest.mark.parametrize(
    "name", ["logprobs", "seed", "suffix", "logit_bias", "presence_penalty", "frequency_penalty"]
)
def test_a_null_is_missed_only_of_what_is_served(name: str) -> None:
    check_id = f"{name.replace('_', '-')}.null"
    unknown = made.declines(lambda body: name in body)
    finding = asyncio.run(found(check_id, unknown))
    assert finding.verdict is Verdict.REFUSED, finding.message
    no_null = made.declines(lambda body: name in body and body[name] is None)
    finding = asyncio.run(found(check_id, no_null))
    assert finding.verdict in {Verdict.FAIL, Verdict.WARN}, finding.message


@pytest.mark.parametrize("check_id", ["all-at-once.default-limit", "all-at-once.null-limit"])
def test_what_is_unlimited_in_a_stream_is_not_asked_for_four_times_more(check_id: str) -> None:
    asked: list[Body] = []

    def unlimited(body: Body) -> Body:
        asked.append(body)
        return {**body, "max_tokens": 40} if body.get("max_tokens") is None else body

    finding = asyncio.run(found(check_id, Fault(ask=unlimited)))
    assert finding.verdict is Verdict.SKIPPED
    assert not any(made.is_batch(body) for body in asked)


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for _, _, check in CASES} == set(CHECKS)
