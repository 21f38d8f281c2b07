"""The verdict in words, the states, and what was left open."""

from dataclasses import replace

import pytest

from conformance.contract import DOCUMENTS, load_contract
from conformance.model import Conclusion, Cost, Effect, State
from conformance.reports.summary import Summary, duration, listed, origin, size
from tests.conformance.reports.builders import (
    a_failure,
    a_finding,
    a_requirement,
    a_run,
    a_subject,
    an_exchange,
)


def test_a_kept_contract_is_told_in_one_sentence() -> None:
    summary = Summary(a_run(a_finding()))
    assert summary.headline == "Conforming"
    assert summary.sentence == (
        "No broken promise in 1 check. Serves 1 of 1 documented parameter as promised."
    )


def test_a_parameter_without_effect_is_named() -> None:
    subjects = (a_subject("stop"), a_subject("echo"))
    run = a_run(a_failure("echo.returned", subject="echo"), a_finding(), subjects=subjects)
    assert Summary(run).sentence == (
        "1 of 2 checks found a broken promise. "
        "Serves 1 of 2 documented parameters as promised; ignores `echo`."
    )


def test_a_wrong_response_field_is_named_apart_from_the_parameters() -> None:
    subjects = (a_subject("stop"), a_subject("usage.total_tokens", kind="field"))
    run = a_run(a_failure(subject="usage.total_tokens"), subjects=subjects)
    assert Summary(run).sentence.endswith("Wrong in its answers: `usage.total_tokens`.")


def test_many_untested_parameters_are_counted_and_few_are_named() -> None:
    names = ("a", "b", "c", "d", "e")
    few = a_run(a_finding(), subjects=tuple(map(a_subject, ("stop", *names[:2]))))
    many = a_run(a_finding(), subjects=tuple(map(a_subject, ("stop", *names))))
    assert "`a` and `b` not tested" in Summary(few).sentence
    assert "5 not tested" in Summary(many).sentence


def test_doubt_is_said_and_never_praised() -> None:
    summary = Summary(a_run(a_finding(), a_finding("stop.other", "inconclusive")))
    assert summary.headline == "Could not judge"
    assert summary.sentence.startswith("1 of 2 checks could not judge")


def test_an_endpoint_that_was_never_judged_has_no_parameters_to_speak_of() -> None:
    run = a_run(conclusion=Conclusion.UNDECIDED, because="the API key was refused with 401")
    assert Summary(run).sentence == "No check could begin, so nothing is known of this endpoint."
    assert Summary(run).because == "the API key was refused with 401"


def test_a_run_that_broke_off_says_nothing_of_the_rest() -> None:
    run = a_run(a_finding(), exchanges=(an_exchange(),), broken_off=True)
    summary = Summary(run)
    assert summary.headline == "Broken off"
    assert summary.sentence.startswith("The run ended early, after 1 check.")
    assert summary.cost_in_words == "1 request on record, tokens not added up"
    assert summary.elapsed == 0.75


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(2, 10, 5, 0), "2 requests, 15 tokens (10 prompt, 5 generated)"),
        (
            Cost(1, 2, 0, 3),
            (
                "1 request, at most 5 tokens "
                "(2 prompt, 0 generated, up to 3 where no usage was stated)"
            ),
        ),
        (Cost(1, 0, 0, 40), "1 request, at most 40 tokens (no usage was stated)"),
        (Cost(1, 0, 0, 0), "1 request, 0 tokens"),
    ],
)
def test_the_bill_says_what_is_known_and_what_is_a_bound(cost: Cost, words: str) -> None:
    run = a_run(a_finding())
    assert run.footer is not None
    assert Summary(replace(run, footer=replace(run.footer, cost=cost))).cost_in_words == words


def test_strict_runs_count_lesser_deviations_as_broken() -> None:
    warned = a_finding("stop.lesser", "warn")
    assert Summary(a_run(warned)).sentence.startswith("No broken promise in 1 check. 1 lesser")
    assert Summary(a_run(warned, strict=True)).sentence.startswith("1 of 1 check found a broken")


def test_what_was_not_verified_is_listed_with_its_reasons() -> None:
    requirements = tuple(map(a_requirement, ("stop.at-most-four", "echo.returned", "seed.repeats")))
    run = a_run(
        a_finding("stop.one", "skipped", message="the token budget is spent"),
        a_finding("stop.two", "skipped", message="the token budget is spent"),
        a_finding("echo.one", "inconclusive", message="answered 503", requirement="echo.returned"),
        requirements=requirements,
    )
    unsure, skipped, unreached = Summary(run).gaps
    assert unsure.reasons == {"answered 503": ("echo.one",)}
    assert skipped.reasons == {"the token budget is spent": ("stop.one", "stop.two")}
    assert unreached.left_open == ("seed.repeats",)


def test_troubled_areas_come_first_and_failures_before_passes() -> None:
    requirements = tuple(map(a_requirement, ("echo.returned", "stop.at-most-four")))
    run = a_run(
        a_finding("echo.one", requirement="echo.returned"),
        a_finding("stop.a"),
        a_failure("stop.b"),
        requirements=requirements,
    )
    first, second = Summary(run).areas
    assert [finding.id for finding in first.findings] == ["stop.b", "stop.a"]
    assert second.name == "echo"


def test_a_promised_parameter_that_is_declined_is_refused() -> None:
    (row,) = Summary(a_run(a_failure(effect=Effect.REFUSED))).rows
    assert row.state is State.REFUSED


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0421, "42 ms"), (41.23, "41.2 s"), (200.4, "3 min 20 s")]
)
def test_durations_are_as_precise_as_a_reader_cares(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_sizes_and_lists_read_as_people_write_them() -> None:
    assert [size(999), size(2_700), size(5_000_000)] == ["999 B", "2.7 kB", "5.0 MB"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert listed(["a", "b", "c"], 3) == "a, b and c"
    assert listed(["a", "b", "c", "d"], 3) == "a, b and 2 more"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_sentence_is_traced_to_its_contracts_own_document_first(name: str) -> None:
    contract = load_contract(name)
    says = {subject.name: subject.says for subject in contract.subjects}
    for requirement in contract.requirements.values():
        stated = {source.document: source.says for source in requirement.sources}
        found = origin(requirement, contract.document, contract.subjects)
        assert found.document == name
        assert found.own == ((stated[name],) if name in stated else ())
        assert [source.document for source in found.others] == [d for d in stated if d != name]
        if not found.own:
            assert found.related == says.get(requirement.subject, {}).get(name)
            assert found.others, f"nobody states {requirement.id}"
