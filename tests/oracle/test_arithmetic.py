"""The oracle's arithmetic on examples that can be computed by hand."""

from collections import Counter

import numpy as np
import pytest

from tests.oracle import probability
from tests.oracle.model import Row
from tests.oracle.oracle import Oracle
from tests.oracle.rendering import first_stop
from tests.oracle.request import read
from tests.oracle.significance import p_value
from tests.oracle.vocabulary import offsets, render

WORLD = "世".encode()


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        ([b"ab", b"c", b""], [0, 2, 3]),
        (["é".encode(), b"a"], [0, 1]),
        ([WORLD[:1], WORLD[1:2], WORLD[2:], b"!"], [0, 0, 0, 1]),
        ([b"a" + WORLD[:1], WORLD[1:] + b"b", b"c"], [0, 1, 3]),
        ([WORLD[:2], b"a"], [0, 1]),
        ([WORLD[:1], WORLD[:1], b""], [0, 1, 2]),
        ([b"\xff", b"\xff", "🎈".encode(), b"a"], [0, 1, 2, 3]),
    ],
)
def test_token_offset_is_its_first_bytes_character(
    fragments: list[bytes], expected: list[int]
) -> None:
    assert offsets(fragments) == expected


@pytest.mark.parametrize(
    ("sequences", "end"),
    [
        (["c"], 2),
        (["x"], None),
        (["bcd", "c"], 2),
        (["c", "bc"], 1),
        (["dab", "ce", "cd"], 2),
    ],
    ids=["found", "not found", "complete first", "complete together", "earliest of three"],
)
def test_earliest_complete_stop_sequence_ends_the_text(
    sequences: list[str], end: int | None
) -> None:
    assert first_stop("abcdabce", sequences, 0) == end


def test_text_before_the_completion_is_not_searched() -> None:
    assert first_stop("abcabc", ["bc"], 2) == 4
    assert first_stop("abcab", ["bc"], 2) is None


def test_partial_characters_are_rendered_as_bytes() -> None:
    assert render(WORLD) == "世"
    assert render(b"a" + WORLD[:2]) == r"bytes:\x61\xe4\xb8"


def test_penalties_follow_the_published_formula(oracle: Oracle) -> None:
    body = {"presence_penalty": 0.5, "frequency_penalty": 2, "logit_bias": {"1": -3, "2": 1}}
    preferred = probability.preferences(
        np.full(5, 10.0), read(body, oracle.vocabulary), [2, 0, 2], [4]
    )
    assert preferred.tolist() == [10 - 2 - 0.5, 7, 11 - 4 - 0.5, 10, -np.inf]


def test_temperature_divides_the_logits() -> None:
    even = np.log([1.0, 4.0, 16.0])
    assert probability.probabilities(even, 2) == pytest.approx(np.array([1, 2, 4]) / 7)
    assert probability.probabilities(even, 0.5) == pytest.approx(np.array([1, 16, 256]) / 273)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0, [2]), (0.4, [2]), (0.41, [0, 2]), (0.7, [0, 1, 2]), (0.99, [0, 1, 2, 3])],
)
def test_nucleus_is_the_smallest_sufficient_set(top_p: float, kept: list[int]) -> None:
    likely = np.array([0.25, 0.25, 0.4, 0.1])
    assert np.flatnonzero(probability.nucleus(likely, top_p)).tolist() == kept


def test_random_number_selects_the_token_of_its_interval() -> None:
    shares = np.array([0.2, 0.0, 0.2])
    assert probability.drawn_between(shares, 0) == (0.0, 0.5)
    assert probability.drawn_between(shares, 2) == (0.5, 1.0)


def test_logprobs_are_logarithms_of_probabilities() -> None:
    assert np.exp(Row(np.log([3.0, 1.0]), 0).scores) == pytest.approx([0.75, 0.25])


def test_four_forms_of_a_prompt_are_distinguished(oracle: Oracle) -> None:
    one, other = oracle.vocabulary.encode("one"), oracle.vocabulary.encode("other")
    for prompt, ids in [
        ("one", [one]),
        (["one", "other"], [one, other]),
        ([5], [(5,)]),
        ([[5], [6, 7]], [(5,), (6, 7)]),
        (None, [(0,)]),
        ("", [()]),
    ]:
        given = read({"prompt": prompt}, oracle.vocabulary)
        assert [each.ids for each in given.prompts] == ids
        assert all(each.read == (each.ids or (0,)) for each in given.prompts)


def test_p_value_is_high_for_expected_counts() -> None:
    fair = dict.fromkeys("abcd", 0.25)
    assert p_value(Counter(a=26, b=24, c=25, d=25), fair) > 0.9
    assert p_value(Counter(a=45, b=20, c=20, d=15), fair) < 1e-3
    assert p_value(Counter(a=50, b=50), {"a": 0.5, "c": 0.5}) == 0
    # 3.84 is passed one time in twenty by chi-square with one degree of freedom.
    assert p_value(Counter(a=60, b=40), {"a": 0.5, "b": 0.5}) == pytest.approx(0.057, abs=0.006)
