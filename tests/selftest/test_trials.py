"""The trials of a selftest for a selection."""

from __future__ import annotations

from conformance.contract import CONTRACTS, load_contract
from conformance.model import Tier
from conformance.selftest.catalogue import LIVE, Catalogue
from conformance.selftest.trials import ALIKE, Trial, Wanted, trials_of, unmatched
from tests.selftest.builders import a_fault, a_variant

CATALOGUE = Catalogue(
    faults=(
        a_fault("stop-dropped", triggers=("stream", "batch")),
        a_fault("seed-ignored", area="seed", requirements=("seed.repeats",)),
    ),
    variants=(a_variant("crlf"), a_variant("no-echo", refuses=("echo",))),
)


def names(trials: tuple[Trial, ...]) -> list[str]:
    return [f"{trial.name} {trial.tier.value}" for trial in trials]


def test_modified_faults_are_tried_at_the_deepest_tier() -> None:
    made = names(trials_of(CATALOGUE, Wanted(faults=("stop-dropped*",))))
    assert made == [
        "stop-dropped smoke",
        "stop-dropped standard",
        "stop-dropped@stream standard",
        "stop-dropped@batch standard",
    ]
    deep = names(trials_of(CATALOGUE, Wanted(Tier.DEEP, faults=("stop-dropped*",))))
    assert deep[:3] == ["stop-dropped smoke", "stop-dropped standard", "stop-dropped deep"]
    assert deep[3:] == ["stop-dropped@stream deep", "stop-dropped@batch deep"]


def test_default_has_every_behaviour_and_dialect() -> None:
    made = trials_of(CATALOGUE, Wanted())
    assert {trial.shown.name for trial in made} == {
        *("stop-dropped", "seed-ignored", "crlf", "no-echo", "reference"),
        *CONTRACTS,
    }
    own = {trial.dialect: trial.contract for trial in made if trial.path.split("/")[1] == "none"}
    assert own == {"reference": "openai"} | {name: name for name in CONTRACTS}


def test_globs_select_by_name_trigger_and_area() -> None:
    def chosen(*globs: str) -> set[str]:
        return {trial.name for trial in trials_of(CATALOGUE, Wanted(faults=globs))}

    assert chosen("stop-dropped") == {"stop-dropped"}
    assert chosen("*@stream") == {"stop-dropped@stream"}
    assert chosen("stop") == {"stop-dropped", "stop-dropped@stream", "stop-dropped@batch"}
    assert chosen("seed", "*@batch") == {"seed-ignored", "stop-dropped@batch"}
    assert chosen("nothing") == set()


def test_unmatched_globs_are_named() -> None:
    wanted = Wanted(faults=("stop", "nothing"), variants=("no-*", "typo", "stop-dropped"))
    assert unmatched(CATALOGUE, wanted) == ("nothing", "typo", "stop-dropped")


def test_faults_and_variants_are_selected_separately() -> None:
    assert {t.name for t in trials_of(CATALOGUE, Wanted(variants=("no-*",)))} == {"no-echo"}
    both = trials_of(CATALOGUE, Wanted(faults=("seed-*",), variants=("crlf",)))
    assert {trial.name for trial in both} == {"seed-ignored", "crlf"}


def test_each_seed_repeats_everything_with_fresh_state() -> None:
    made = trials_of(CATALOGUE, Wanted(variants=("crlf",), seeds=3))
    assert [trial.seed for trial in made] == [0, 1, 2]
    assert len({trial.path for trial in made}) == 3


def test_only_faults_allow_partial_runs() -> None:
    whole = {trial.name: trial.complete for trial in trials_of(CATALOGUE, Wanted())}
    assert not whole["stop-dropped"]
    assert not whole["stop-dropped@stream"]
    assert whole["crlf"]
    assert whole["zero"]
    assert all(trial.complete for trial in trials_of(CATALOGUE, Wanted(complete=True)))


def test_path_has_dialect_behaviour_and_state() -> None:
    made = trials_of(CATALOGUE, Wanted(faults=("stop-dropped", "*@stream")))
    assert [trial.path for trial in made] == [
        "reference/stop-dropped/openai-smoke-0",
        "reference/stop-dropped/openai-standard-0",
        "reference/stop-dropped@stream/openai-standard-0",
    ]


def test_contract_limits_faults_variants_and_dialects() -> None:
    # This document has `stop`; it has no `seed`, and it promises echo, which may not be rejected.
    made = trials_of(CATALOGUE, Wanted(contract=load_contract("zero")))
    assert {trial.shown.name for trial in made} == {"stop-dropped", "crlf", "zero"}
    assert {(trial.contract, trial.dialect) for trial in made} == {("zero", "zero")}


def test_fault_of_one_document_uses_its_contract() -> None:
    own = Catalogue((a_fault(contract="zhizengzeng", dialect="zhizengzeng"),), ())
    assert {t.contract for t in trials_of(own, Wanted(faults=("*",)))} == {"zhizengzeng"}
    assert trials_of(own, Wanted(faults=("*",), contract=load_contract("zero"))) == ()


def test_equivalence_requirements_are_in_the_contract() -> None:
    named = {requirement for those in ALIKE.values() for requirement in those}
    assert named <= load_contract(LIVE).requirements.keys()
