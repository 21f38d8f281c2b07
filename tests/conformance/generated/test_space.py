"""The space of requests: what the contract documents and nothing else, within its price."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance.checks._shared.prompts import AWKWARD
from conformance.contract import DOCUMENTS, Contract, load_contract
from conformance.generated.interactions_rows import ASCII, Row
from conformance.generated.space import (
    CHINESE,
    EMOJI,
    combinations,
    ends_plainly,
    factors_of,
    rows_of,
)

OPENAI = load_contract("openai")
ANSWER = " 7, 8, 9, 10, 11, 12, 13"


def rows(contract: Contract) -> list[Row]:
    return rows_of(combinations(contract), contract, lambda *asked: ANSWER[: asked[2]])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_row_is_right_by_the_contract(document: str) -> None:
    contract = load_contract(document)
    for row in rows(contract):
        # A page may require more than one can want to send: what matters is that nothing is wrong.
        body = {"model": "m", **row.body}
        wrong = [v for v in contract.validate_request(body) if v.rule != "required"]
        assert wrong == [], row.words
        assert all(contract.parameter(name).documented for name in row.more), row.words


@pytest.mark.parametrize("document", DOCUMENTS)
def test_rules_between_parameters_are_kept(document: str) -> None:
    for row in rows(load_contract(document)):
        asked = row.asked
        assert asked.best_of >= asked.n
        assert not (asked.best_of > asked.n and asked.stream)
        assert not ("stream_options" in row.more and not asked.stream)
        assert row.limit > 0 or asked.echo
        assert not (row.suffix is not None and (asked.echo or len(row.prompts) > 1))


def test_a_document_is_asked_only_for_what_it_mentions() -> None:
    factors = factors_of(load_contract("gpt-ge"))
    assert not {"stop", "echo", "suffix"} & set(factors)
    assert {"form", "way", "copies", "scores"} <= set(factors)
    assert "ids" in factors_of(OPENAI)["script"]
    assert "ids" not in factors_of(load_contract("zero"))["script"]


def test_where_zero_turns_log_probabilities_off_none_are_asked_for_by_it() -> None:
    contract = load_contract("zhizengzeng")
    assert contract.why_not_in_force("logprobs.zero-gives-sampled") is not None
    assert {row.more.get("logprobs") for row in rows(contract)} == {None, 2}


def test_the_price_is_kept() -> None:
    array = combinations(OPENAI)
    assert array.pairs <= 18
    assert len(array.rows) <= 32


def test_the_rows_are_the_same_every_time() -> None:
    model = "m"
    once, again = ([row.encoded(model) for row in rows(OPENAI)] for _ in range(2))
    assert once == again
    assert len(set(once)) == len(once)


def test_each_kind_of_value_is_met_three_times_at_least() -> None:
    """A fault that strikes every third answer which it would change is met by each kind."""
    kinds: Counter[str] = Counter()
    for row in rows(OPENAI):
        stop = row.more.get("stop", "absent")
        options = row.more.get("stream_options") or {}
        kinds.update(
            name
            for name, holds in {
                "stop null": stop is None,
                "stop empty": stop == "",
                "stop array": isinstance(stop, list),
                "padding": options.get("include_obfuscation") is True,
                "bill": options.get("include_usage") is True,
                "logprobs zero": row.more.get("logprobs") == 0,
                "logprobs two": row.more.get("logprobs") == 2,
                "nothing generated": row.limit == 0,
                "seed": row.more.get("seed") is not None,
                "seed null": "seed" in row.more and row.more["seed"] is None,
                "suffix null": "suffix" in row.more and row.suffix is None,
                "candidates": row.asked.best_of > row.asked.n,
                "escapes": row.escaped and not is_ascii(row),
                "array of one": row.listed and len(row.prompts) == 1,
                "ids": isinstance(row.prompts[0], tuple),
                "awkward": AWKWARD in row.prompts,
                "emoji": EMOJI in row.prompts,
                "Chinese": CHINESE in row.prompts,
                "ASCII": row.prompts == (ASCII,),
            }.items()
            if holds
        )
    assert len(kinds) == 19
    assert {name: count for name, count in kinds.items() if count < 3} == {}


def is_ascii(row: Row) -> bool:
    return all(isinstance(prompt, str) and prompt.isascii() for prompt in row.prompts)


@pytest.mark.parametrize("answer", ["", "\ufffd", " 7", "🌸"])
def test_any_answer_leaves_rows_to_ask(answer: str) -> None:
    made = rows_of(combinations(OPENAI), OPENAI, lambda *_: answer)
    assert all(OPENAI.validate_request({"model": "m", **row.body}) == () for row in made)
    assert all("" not in stops for row in made if isinstance(stops := row.more.get("stop"), list))


@pytest.mark.parametrize(
    ("stops", "plainly"),
    [
        (["13", "1, 12, 13, 1"], False),
        (["12, 13", "13"], False),
        (["13", "1, 12", "§"], True),
        (["§"], True),
    ],
)
def test_sequences_that_hold_each_other_are_told(stops: list[str], plainly: bool) -> None:
    assert ends_plainly(", 10, 11, 12, 13, 14", stops) is plainly
