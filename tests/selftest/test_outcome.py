"""What one run comes to: found or missed, a false alarm or none."""

from __future__ import annotations

import pytest

from conformance.model import Level, Tier
from conformance.selftest.catalogue import Shows
from conformance.selftest.outcome import Remark
from conformance.selftest.trials import Dialect
from tests.selftest.builders import a_fault, a_remark, a_variant, an_outcome


@pytest.mark.parametrize("verdict", ["fail", "warn"])
def test_a_fault_is_found_when_its_own_requirement_is_reported(verdict: str) -> None:
    found = an_outcome(a_fault(), a_remark("n.choices", "pass"), a_remark(verdict=verdict))
    assert found.found
    assert [remark.check for remark in found.finders] == ["stop.string"]


@pytest.mark.parametrize("verdict", ["pass", "skipped", "inconclusive", "refused", "error", "info"])
def test_nothing_but_an_reported_failure_finds_a_fault(verdict: str) -> None:
    missed = an_outcome(a_fault(), a_remark(verdict=verdict))
    assert not missed.found
    assert [remark.verdict for remark in missed.own] == [verdict]


def test_an_reported_failure_of_another_requirement_does_not_find_it_and_is_counted() -> None:
    other = an_outcome(a_fault(), a_remark("n.choices"), a_remark("id.prefix", level=Level.MAY))
    assert not other.found
    assert other.besides == ("n.choices",)


def test_a_fault_that_shows_in_one_way_also_breaks_what_says_that_both_are_alike() -> None:
    differs = a_remark("streaming.text-equals-plain")
    assert an_outcome(a_fault(), differs, modifier="stream").found
    assert an_outcome(a_fault(), differs, modifier="plain").found
    assert not an_outcome(a_fault(), differs, modifier="batch").found
    assert not an_outcome(a_fault(), differs).found


def test_whatever_a_generated_check_reports_shows_the_fault() -> None:
    drawn = a_remark("text.present", generated=True)
    assert an_outcome(a_fault(), drawn).found
    assert an_outcome(a_variant(), drawn).false_alarms


def test_a_fault_that_shows_as_a_refusal_is_found_by_one() -> None:
    declines = a_fault(shows=Shows.REFUSED)
    assert an_outcome(declines, a_remark(verdict="refused")).found
    assert an_outcome(declines, a_remark(verdict="fail")).found
    assert not an_outcome(declines, a_remark(verdict="pass")).found


def test_what_is_due_depends_on_where_a_fault_shows_and_how_deep_a_run_looks() -> None:
    assert an_outcome(a_fault()).due
    assert not an_outcome(a_fault(), tier=Tier.SMOKE).due
    assert not an_outcome(a_fault(), modifier="stream").due
    assert an_outcome(a_fault(), modifier="stream", tier=Tier.DEEP).due
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
        (a_remark(verdict="refused", declined=frozenset({"prompt", "echo"})), True),
    ],
)
def test_a_correct_server_may_be_told_nothing_but_conventions(
    remark: Remark, is_alarm: bool
) -> None:
    result = an_outcome(a_variant(), remark).false_alarms
    assert bool(result) is is_alarm
    if result:
        assert result == (f"stop.string: {remark.verdict.value}: expected a; seen b",)


def test_a_variant_may_decline_what_it_declares_and_a_dialect_what_its_document_allows() -> None:
    refusal = a_remark(verdict="refused", declined=frozenset({"prompt", "echo"}))
    assert not an_outcome(a_variant(refuses=("echo", "seed")), refusal).false_alarms
    assert an_outcome(a_variant(refuses=("seed",)), refusal).false_alarms
    assert not an_outcome(Dialect("zero"), refusal).false_alarms


def test_only_a_variant_that_says_so_may_leave_the_suite_in_doubt() -> None:
    doubt = a_remark(verdict="inconclusive")
    assert not an_outcome(a_variant(may_be_inconclusive=True), doubt).false_alarms
    assert an_outcome(Dialect("zero"), doubt).false_alarms


def test_a_run_that_judged_nothing_is_a_false_alarm_on_a_correct_server() -> None:
    (alarm,) = an_outcome(a_variant(), reason="no answer").false_alarms
    assert alarm == "inconclusive run: no answer"


def test_of_a_fault_only_a_broken_check_is_one() -> None:
    result = an_outcome(a_fault(), a_remark(verdict="fail"), a_remark("n.choices", "error"))
    assert result.false_alarms == ("n.choices: error: expected a; seen b",)
