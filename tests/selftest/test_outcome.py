"""The outcome of one run: fault found or missed, false positives."""

from __future__ import annotations

import pytest

from conformance.model import Level, Tier
from conformance.selftest.catalogue import Shows
from conformance.selftest.outcome import Remark
from conformance.selftest.trials import Dialect
from tests.selftest.builders import a_fault, a_remark, a_variant, an_outcome


@pytest.mark.parametrize("verdict", ["fail", "warn"])
def test_failing_own_requirement_means_found(verdict: str) -> None:
    found = an_outcome(a_fault(), a_remark("n.choices", "pass"), a_remark(verdict=verdict))
    assert found.found
    assert [remark.check for remark in found.finders] == ["stop.string"]


@pytest.mark.parametrize("verdict", ["pass", "skipped", "inconclusive", "refused", "error", "info"])
def test_only_reported_failures_find_a_fault(verdict: str) -> None:
    missed = an_outcome(a_fault(), a_remark(verdict=verdict))
    assert not missed.found
    assert [remark.verdict for remark in missed.own] == [verdict]


def test_failure_of_another_requirement_is_counted_separately() -> None:
    other = an_outcome(a_fault(), a_remark("n.choices"), a_remark("id.prefix", level=Level.MAY))
    assert not other.found
    assert other.besides == ("n.choices",)


def test_difference_between_modes_finds_a_modified_fault() -> None:
    differs = a_remark("streaming.text-equals-plain")
    assert an_outcome(a_fault(), differs, trigger="stream").found
    assert an_outcome(a_fault(), differs, trigger="plain").found
    assert not an_outcome(a_fault(), differs, trigger="batch").found
    assert not an_outcome(a_fault(), differs).found


def test_generated_checks_find_any_fault() -> None:
    drawn = a_remark("text.present", generated=True)
    assert an_outcome(a_fault(), drawn).found
    assert an_outcome(a_variant(), drawn).false_alarms


def test_refusal_finds_a_fault_that_refuses() -> None:
    refusing = a_fault(shows=Shows.REFUSED)
    assert an_outcome(refusing, a_remark(verdict="refused")).found
    assert an_outcome(refusing, a_remark(verdict="fail")).found
    assert not an_outcome(refusing, a_remark(verdict="pass")).found


def test_expectation_depends_on_modifier_and_tier() -> None:
    assert an_outcome(a_fault()).due
    assert not an_outcome(a_fault(), tier=Tier.SMOKE).due
    assert not an_outcome(a_fault(), trigger="stream").due
    assert an_outcome(a_fault(), trigger="stream", tier=Tier.DEEP).due
    assert not an_outcome(a_variant()).due


@pytest.mark.parametrize(
    ("remark", "is_alarm"),
    [
        (a_remark(verdict="pass"), False),
        (a_remark(verdict="skipped"), False),
        (a_remark(verdict="info"), False),
        (a_remark(verdict="fail"), True),
        (a_remark(verdict="warn", level=Level.SHOULD), True),
        (a_remark(verdict="warn", level=Level.MAY), False),
        (a_remark(verdict="error"), True),
        (a_remark(verdict="inconclusive"), True),
        (a_remark(verdict="refused", rejected=frozenset({"prompt", "echo"})), True),
    ],
)
def test_only_conventions_may_be_reported_of_conforming_servers(
    remark: Remark, is_alarm: bool
) -> None:
    result = an_outcome(a_variant(), remark).false_alarms
    assert bool(result) is is_alarm
    if result:
        assert result == (f"stop.string: {remark.verdict.value}: expected a; seen b",)


def test_declared_refusals_are_no_false_positives() -> None:
    refusal = a_remark(verdict="refused", rejected=frozenset({"prompt", "echo"}))
    assert not an_outcome(a_variant(refuses=("echo", "seed")), refusal).false_alarms
    assert an_outcome(a_variant(refuses=("seed",)), refusal).false_alarms
    assert not an_outcome(Dialect("zero"), refusal).false_alarms


def test_only_declared_variants_may_be_inconclusive() -> None:
    doubt = a_remark(verdict="inconclusive")
    assert not an_outcome(a_variant(may_be_inconclusive=True), doubt).false_alarms
    assert an_outcome(Dialect("zero"), doubt).false_alarms


def test_inconclusive_run_is_a_false_positive() -> None:
    (alarm,) = an_outcome(a_variant(), reason="no answer").false_alarms
    assert alarm == "inconclusive run: no answer"


def test_only_crashed_checks_are_false_alarms_of_faults() -> None:
    result = an_outcome(a_fault(), a_remark(verdict="fail"), a_remark("n.choices", "error"))
    assert result.false_alarms == ("n.choices: error: expected a; seen b",)
