"""Detection shares, misses, false positives, costs and complaints of a selftest."""

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


def test_shares_are_counted_by_area_tier_and_modifier() -> None:
    n = a_fault("n-ignored", area="n", requirements=("n.choices",))
    matrix = a_matrix(
        an_outcome(a_fault(), MISSED, tier=Tier.SMOKE),
        an_outcome(a_fault(), FOUND),
        an_outcome(a_fault(), FOUND, trigger="stream"),
        an_outcome(a_fault(), MISSED, trigger="batch"),
        an_outcome(n, FOUND, tier=Tier.SMOKE),
        an_outcome(n, a_remark("n.choices")),
    )
    of_n, of_stop, of_all = matrix.rows
    assert [row.area for row in matrix.rows] == ["n", "stop", "all"]
    assert of_stop.by_tier == {Tier.SMOKE: Share(0, 1), Tier.STANDARD: Share(1, 1)}
    assert of_stop.hidden == Share(1, 2)
    assert of_n.by_tier == {Tier.SMOKE: Share(0, 1), Tier.STANDARD: Share(1, 1)}
    assert of_n.besides == 1  # at smoke it was `stop.string` that failed
    assert of_all.by_tier[Tier.STANDARD] == Share(2, 2)
    assert of_all.hidden.percent == 50


def test_percentage_is_100_only_for_all_faults() -> None:
    assert Share(199, 200).percent == 99
    assert Share(200, 200).percent == 100
    assert Share(0, 0).percent == 100


def test_missed_and_deferred_faults_are_separated() -> None:
    matrix = a_matrix(
        an_outcome(a_fault(), MISSED, tier=Tier.SMOKE),
        an_outcome(a_fault(), MISSED),
        an_outcome(a_fault(), MISSED, trigger="stream"),
    )
    assert [(o.trial.name, o.trial.tier) for o in matrix.missed] == [
        ("stop-dropped", Tier.STANDARD)
    ]
    assert [o.trial.name for o in matrix.not_yet] == ["stop-dropped@stream"]
    assert matrix.complaints == ("1 of the expected faults not detected",)


@pytest.mark.parametrize(("first", "second"), [(FOUND, MISSED), (MISSED, FOUND)])
def test_seed_dependent_fault_is_missed_and_unsteady(first: Remark, second: Remark) -> None:
    matrix = a_matrix(
        an_outcome(a_fault(), first, complete=False),
        an_outcome(a_fault(), second, complete=False, seed=1),
    )
    assert matrix.rows[-1].by_tier[Tier.STANDARD] == Share(0, 1)
    (unsteady,) = matrix.unsteady
    assert (unsteady.name, unsteady.what) == ("stop-dropped", "fault detected")
    assert "1 of the servers have different results with different seeds" in matrix.complaints


def test_complete_runs_must_agree_across_seeds() -> None:
    """A run that ends with the first finding shows only whether there is one."""
    also, convention = a_remark("usage.stop"), a_remark("n.choices", level=Level.MAY)
    for complete, differing in ((True, ["usage.stop"]), (False, [])):
        matrix = a_matrix(
            an_outcome(a_fault(), FOUND, also, complete=complete),
            an_outcome(a_fault(), FOUND, convention, complete=complete, seed=1),
        )
        assert [one.what for one in matrix.unsteady] == differing


def test_conforming_servers_need_equal_verdicts_across_seeds() -> None:
    matrix = a_matrix(
        an_outcome(a_variant(), a_remark("n.choices", "pass"), MISSED),
        an_outcome(a_variant(), a_remark("n.choices", "refused"), MISSED, seed=1),
        an_outcome(a_variant("steady"), a_remark("n.choices", "skipped")),
        an_outcome(a_variant("steady"), a_remark("n.choices", "pass"), seed=1),
    )
    assert [(one.name, one.what) for one in matrix.unsteady] == [("crlf", "n.choices")]


def test_nondeterministic_server_may_be_inconclusive_for_one_seed() -> None:
    """On any other server that is a complaint."""
    result = [a_remark("n.choices", verdict) for verdict in ("pass", "inconclusive")]
    non_deterministic = a_variant(may_be_inconclusive=True)
    matrix = a_matrix(
        *(an_outcome(non_deterministic, one, seed=seed) for seed, one in enumerate(result))
    )
    assert matrix.complaints == ()
    matrix = a_matrix(*(an_outcome(a_variant(), one, seed=seed) for seed, one in enumerate(result)))
    assert matrix.complaints == ("1 of the runs have false positives or errors in checks",)


def test_false_positive_is_a_complaint() -> None:
    matrix = a_matrix(an_outcome(a_variant(), FOUND))
    assert matrix.complaints == ("1 of the runs have false positives or errors in checks",)
    assert matrix.rows == ()
    assert a_matrix(an_outcome(a_variant(), MISSED)).complaints == ()


def test_smoke_tier_must_find_its_share() -> None:
    def of_five(found: int, *, everything: bool = True) -> tuple[str, ...]:
        faults = [a_fault(f"fault-{i}") for i in range(5)]
        smoke = [
            an_outcome(fault, FOUND if i < found else MISSED, tier=Tier.SMOKE)
            for i, fault in enumerate(faults)
        ]
        standard = [an_outcome(fault, FOUND) for fault in faults]
        return a_matrix(*smoke, *standard, everything=everything).complaints

    assert of_five(3) == ()
    assert of_five(2) == ("smoke detects 40 % of its faults; 60% are required",)
    assert of_five(2, everything=False) == ()


def test_smoke_tier_need_not_find_extensions() -> None:
    extension = a_fault("fault", contract="vllm")
    smoke = an_outcome(extension, MISSED, tier=Tier.SMOKE)
    assert a_matrix(smoke, an_outcome(extension, FOUND), everything=True).complaints == ()


def test_check_without_findings_is_idle() -> None:
    checks = [check for check in all_checks() if check.id in {"stop.string", "n.choices"}]
    assert {check.tier for check in checks} <= {Tier.SMOKE, Tier.STANDARD}
    matrix = a_matrix(an_outcome(a_fault(), FOUND), checks=checks)
    assert matrix.idle == ("n.choices",)


def test_deeper_check_is_not_idle_in_cheaper_runs() -> None:
    deep = [check for check in all_checks() if check.tier is Tier.DEEP][:1]
    assert a_matrix(an_outcome(a_fault(), FOUND), checks=deep).idle == ()
    assert a_matrix(an_outcome(a_fault(), FOUND, tier=Tier.DEEP), checks=deep).idle


def test_partial_runs_show_no_prices_or_idle_checks() -> None:
    early = an_outcome(a_fault(), FOUND, cost=None, complete=False)
    matrix = a_matrix(early, checks=all_checks())
    assert matrix.prices == ()
    assert matrix.idle == ()
    assert matrix.rows[-1].besides is None
    assert matrix.rows[-1].by_tier == {Tier.STANDARD: Share(1, 1)}
    (price,) = a_matrix(early, an_outcome(a_variant(), MISSED)).prices
    assert price.runs == 1


def test_prices_are_median_and_maximum_per_tier() -> None:
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
