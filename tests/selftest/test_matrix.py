"""The sums: shares by area and tier, misses, alarms, prices, and what keeps the suite unsound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from conformance.engine.discovery import all_checks
from conformance.model import Cost, Level, Tier
from conformance.selftest.matrix import Matrix, Share
from conformance.selftest.outcome import Outcome, Remark
from tests.selftest.builders import a_fault, a_remark, a_variant, an_outcome

FOUND = a_remark()
MISSED = a_remark(verdict="pass")


def a_matrix(*outcomes: Outcome, everything: bool = False, checks: Iterable[Any] = ()) -> Matrix:
    return Matrix(outcomes, everything=everything, checks=checks)


def test_shares_are_counted_by_area_and_tier_and_where_faults_hide() -> None:
    n = a_fault("n-ignored", area="n", requirements=("n.choices",))
    matrix = a_matrix(
        an_outcome(a_fault(), MISSED, tier=Tier.SMOKE),
        an_outcome(a_fault(), FOUND),
        an_outcome(a_fault(), FOUND, modifier="stream"),
        an_outcome(a_fault(), MISSED, modifier="batch"),
        an_outcome(n, FOUND, tier=Tier.SMOKE),
        an_outcome(n, a_remark("n.choices")),
    )
    of_n, of_stop, of_all = matrix.rows
    assert [row.area for row in matrix.rows] == ["n", "stop", "all"]
    assert of_stop.by_tier == {Tier.SMOKE: Share(0, 1), Tier.STANDARD: Share(1, 1)}
    assert of_stop.hidden == Share(1, 2)
    assert of_n.by_tier == {Tier.SMOKE: Share(0, 1), Tier.STANDARD: Share(1, 1)}
    assert of_n.besides == 1  # at smoke it was `stop.string` that was accused
    assert of_all.by_tier[Tier.STANDARD] == Share(2, 2)
    assert of_all.hidden.percent == 50


def test_a_percentage_is_100_only_when_all_are_found() -> None:
    assert Share(199, 200).percent == 99
    assert Share(200, 200).percent == 100
    assert Share(0, 0).percent == 100


def test_what_was_due_is_missed_and_what_was_not_is_left_to_a_deeper_run() -> None:
    matrix = a_matrix(
        an_outcome(a_fault(), MISSED, tier=Tier.SMOKE),
        an_outcome(a_fault(), MISSED),
        an_outcome(a_fault(), MISSED, modifier="stream"),
    )
    assert [(o.trial.name, o.trial.tier) for o in matrix.missed] == [
        ("stop-dropped", Tier.STANDARD)
    ]
    assert [o.trial.name for o in matrix.not_yet] == ["stop-dropped@stream"]
    assert matrix.complaints == ("1 of the expected faults not detected",)


@pytest.mark.parametrize(("first", "second"), [(FOUND, MISSED), (MISSED, FOUND)])
def test_a_fault_that_one_seed_misses_is_not_found_and_not_steady(
    first: Remark, second: Remark
) -> None:
    matrix = a_matrix(
        an_outcome(a_fault(), first, complete=False),
        an_outcome(a_fault(), second, complete=False, seed=1),
    )
    assert matrix.rows[-1].by_tier[Tier.STANDARD] == Share(0, 1)
    (unsteady,) = matrix.unsteady
    assert (unsteady.name, unsteady.what) == ("stop-dropped", "fault detected")
    assert "1 of the servers have different results with different seeds" in matrix.complaints


def test_where_every_check_is_requested_each_seed_has_to_report_of_the_same() -> None:
    """A run that ends with the first finding tells only whether there is one."""
    also, convention = a_remark("usage.stop"), a_remark("n.choices", level=Level.MAY)
    for complete, differing in ((True, ["usage.stop"]), (False, [])):
        matrix = a_matrix(
            an_outcome(a_fault(), FOUND, also, complete=complete),
            an_outcome(a_fault(), FOUND, convention, complete=complete, seed=1),
        )
        assert [one.what for one in matrix.unsteady] == differing


def test_a_correct_server_has_to_be_judged_alike_in_every_verdict() -> None:
    matrix = a_matrix(
        an_outcome(a_variant(), a_remark("n.choices", "pass"), MISSED),
        an_outcome(a_variant(), a_remark("n.choices", "refused"), MISSED, seed=1),
        an_outcome(a_variant("steady"), a_remark("n.choices", "skipped")),
        an_outcome(a_variant("steady"), a_remark("n.choices", "pass"), seed=1),
    )
    assert [(one.name, one.what) for one in matrix.unsteady] == [("crlf", "n.choices")]


def test_where_a_server_varies_a_judgement_may_be_withheld_for_one_seed() -> None:
    """On any other server that is a complaint of its own."""
    result = [a_remark("n.choices", verdict) for verdict in ("pass", "inconclusive")]
    non_deterministic = a_variant(may_be_inconclusive=True)
    matrix = a_matrix(
        *(an_outcome(non_deterministic, one, seed=seed) for seed, one in enumerate(result))
    )
    assert matrix.complaints == ()
    matrix = a_matrix(*(an_outcome(a_variant(), one, seed=seed) for seed, one in enumerate(result)))
    assert matrix.complaints == ("1 of the runs have false positives or errors in checks",)


def test_one_reported_correct_server_is_a_complaint() -> None:
    matrix = a_matrix(an_outcome(a_variant(), FOUND))
    assert matrix.complaints == ("1 of the runs have false positives or errors in checks",)
    assert matrix.rows == ()
    assert a_matrix(an_outcome(a_variant(), MISSED)).complaints == ()


def test_the_smoke_tier_has_to_find_its_share_of_everything() -> None:
    def of_five(found: int, *, everything: bool = True) -> tuple[str, ...]:
        faults = [a_fault(f"fault-{i}") for i in range(5)]
        smoke = [
            an_outcome(fault, FOUND if i < found else MISSED, tier=Tier.SMOKE)
            for i, fault in enumerate(faults)
        ]
        standard = [an_outcome(fault, FOUND) for fault in faults]
        return a_matrix(*smoke, *standard, everything=everything).complaints

    assert of_five(3) == ()
    assert of_five(2) == ("smoke detects 40 % of the faults; 60% are required",)
    assert of_five(2, everything=False) == ()


def test_a_check_of_the_run_that_finds_nothing_is_idle() -> None:
    checks = [check for check in all_checks() if check.id in {"stop.string", "n.choices"}]
    assert {check.tier for check in checks} <= {Tier.SMOKE, Tier.STANDARD}
    matrix = a_matrix(an_outcome(a_fault(), FOUND), checks=checks)
    assert matrix.idle == ("n.choices",)


def test_a_check_of_a_deeper_tier_is_not_idle_in_a_cheaper_run() -> None:
    deep = [check for check in all_checks() if check.tier is Tier.DEEP][:1]
    assert a_matrix(an_outcome(a_fault(), FOUND), checks=deep).idle == ()
    assert a_matrix(an_outcome(a_fault(), FOUND, tier=Tier.DEEP), checks=deep).idle


def test_a_few_checks_tell_nothing_of_prices_or_of_what_else_is_reported() -> None:
    early = an_outcome(a_fault(), FOUND, cost=None, complete=False)
    matrix = a_matrix(early, checks=all_checks())
    assert matrix.prices == ()
    assert matrix.idle == ()
    assert matrix.rows[-1].besides is None
    assert matrix.rows[-1].by_tier == {Tier.STANDARD: Share(1, 1)}
    (price,) = a_matrix(early, an_outcome(a_variant(), MISSED)).prices
    assert price.runs == 1


def test_prices_are_the_median_and_the_dearest_run_of_each_tier() -> None:
    def paid(requests: int, tokens: int) -> Cost:
        return Cost(requests=requests, prompt_tokens=tokens - 1, completion_tokens=1)

    matrix = a_matrix(
        an_outcome(a_fault("a"), cost=paid(10, 100)),
        an_outcome(a_fault("b"), cost=paid(12, 90)),
        an_outcome(a_fault("c"), cost=paid(20, 95)),
        an_outcome(a_fault("c"), tier=Tier.SMOKE, cost=paid(5, 50)),
    )
    smoke, standard = matrix.prices
    assert (smoke.tier, smoke.runs, smoke.requests) == (Tier.SMOKE, 1, (5, 5))
    assert (standard.requests, standard.tokens) == ((12, 20), (95, 100))
