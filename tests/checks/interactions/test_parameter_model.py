"""The parameter model uses only what the contract documents and keeps its budget."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import pytest

from conformance.checks._shared.prompts import AWKWARD, CHINESE, EMOJI
from conformance.checks.interactions.cases import ASCII, TestCase
from conformance.checks.interactions.parameter_model import (
    CODE_PATHS,
    cases_of,
    covering_array,
    ends_plainly,
    factors_of,
    prompts_of,
)
from conformance.contract import CONTRACTS, Contract, load_contract

OPENAI = load_contract("openai")
RESPONSE = " 7, 8, 9, 10, 11, 12, 13"


def cases(contract: Contract) -> list[TestCase]:
    return cases_of(covering_array(contract), contract, lambda *request: RESPONSE[: request[2]])


@pytest.mark.parametrize("document", CONTRACTS)
def test_every_case_fits_the_contract(document: str) -> None:
    contract = load_contract(document)
    for case in cases(contract):
        # A document may require parameters that are not sent; nothing sent may be invalid.
        body = {"model": "m", **case.body}
        wrong = [v for v in contract.validate_request(body) if v.rule != "required"]
        assert wrong == [], case.description
        assert all(contract.parameter(name).documented for name in case.settings), case.description


@pytest.mark.parametrize("document", CONTRACTS)
def test_rules_between_parameters_are_kept(document: str) -> None:
    for case in cases(load_contract(document)):
        request = case.request
        assert request.best_of >= request.n
        assert not (request.best_of > request.n and request.stream)
        assert not ("stream_options" in case.settings and not request.stream)
        assert case.max_tokens > 0 or request.echo
        assert not (case.suffix is not None and (request.echo or len(case.prompts) > 1))


def test_factors_are_documented_parameters() -> None:
    factors = factors_of(load_contract("gpt-ge"))
    assert not {"stop", "echo", "suffix"} & set(factors)
    assert {"form", "way", "copies", "scores"} <= set(factors)
    assert "ids" in factors_of(OPENAI)["script"]
    assert "ids" not in factors_of(load_contract("zero"))["script"]


def test_logprobs_zero_is_sent_only_if_in_force() -> None:
    contract = load_contract("zhizengzeng")
    assert contract.why_not_in_force("logprobs.zero-gives-sampled") is not None
    assert {case.settings.get("logprobs") for case in cases(contract)} == {None, 2}


def test_budget_is_kept() -> None:
    array = covering_array(OPENAI)
    assert array.core <= 12
    assert len(array.combinations) <= 36


@pytest.mark.parametrize("document", CONTRACTS)
def test_core_covers_triples_of_code_paths(document: str) -> None:
    contract = load_contract(document)
    array, factors = covering_array(contract), factors_of(contract)
    core = array.combinations[: array.core]
    for names in combinations([name for name in CODE_PATHS if name in factors], 3):
        extremes = product(*((factors[name][0], factors[name][-1]) for name in names))
        covered = {tuple(row[name] for name in names) for row in core}
        rows = [dict(zip(names, levels, strict=True)) for levels in extremes]
        served = [row for row in rows if not refused(contract, row)]
        assert covered == {tuple(row.values()) for row in served}, names


def refused(contract: Contract, row: dict[str, str]) -> bool:
    both = row.get("echo", "off") != "off" and row.get("scores", "off") != "off"
    return both and {"echo", "logprobs"} in contract.refused_together


def test_core_needs_no_baseline_of_its_own() -> None:
    array = covering_array(OPENAI)
    prompts = {prompt for row in array.combinations[: array.core] for prompt in prompts_of(row)}
    assert prompts == {ASCII, EMOJI}
    assert all(row["suffix"] == "off" for row in array.combinations[: array.core])


def test_cases_are_reproducible() -> None:
    model = "m"
    once, again = ([case.encoded(model) for case in cases(OPENAI)] for _ in range(2))
    assert once == again
    assert len(set(once)) == len(once)


def test_each_kind_of_value_occurs_three_times() -> None:
    """So a fault that is triggered in every third response shows for each kind."""
    kinds: Counter[str] = Counter()
    for case in cases(OPENAI):
        stop = case.settings.get("stop", "absent")
        options = case.settings.get("stream_options") or {}
        kinds.update(
            name
            for name, holds in {
                "stop null": stop is None,
                "stop empty": stop == "",
                "stop array": isinstance(stop, list),
                "padding": options.get("include_obfuscation") is True,
                "bill": options.get("include_usage") is True,
                "logprobs zero": case.settings.get("logprobs") == 0,
                "logprobs two": case.settings.get("logprobs") == 2,
                "nothing generated": case.max_tokens == 0,
                "seed": case.settings.get("seed") is not None,
                "seed null": "seed" in case.settings and case.settings["seed"] is None,
                "suffix null": "suffix" in case.settings and case.suffix is None,
                "candidates": case.request.best_of > case.request.n,
                "escapes": case.escaped and not is_ascii(case),
                "array of one": case.listed and len(case.prompts) == 1,
                "ids": isinstance(case.prompts[0], tuple),
                "awkward": AWKWARD in case.prompts,
                "emoji": EMOJI in case.prompts,
                "Chinese": CHINESE in case.prompts,
                "ASCII": case.prompts == (ASCII,),
            }.items()
            if holds
        )
    assert len(kinds) == 19
    assert {name: count for name, count in kinds.items() if count < 3} == {}


def is_ascii(case: TestCase) -> bool:
    return all(isinstance(prompt, str) and prompt.isascii() for prompt in case.prompts)


@pytest.mark.parametrize("response", ["", "\ufffd", " 7", "🌸"])
def test_any_baseline_leaves_valid_cases(response: str) -> None:
    made = cases_of(covering_array(OPENAI), OPENAI, lambda *_: response)
    assert all(OPENAI.validate_request({"model": "m", **case.body}) == () for case in made)
    assert all(
        "" not in stops for case in made if isinstance(stops := case.settings.get("stop"), list)
    )


@pytest.mark.parametrize(
    ("stops", "non_streaming"),
    [
        (["13", "1, 12, 13, 1"], False),
        (["12, 13", "13"], False),
        (["13", "1, 12", "§"], True),
        (["§"], True),
    ],
)
def test_overlapping_sequences_are_recognized(stops: list[str], non_streaming: bool) -> None:
    assert ends_plainly(", 10, 11, 12, 13, 14", stops) is non_streaming
