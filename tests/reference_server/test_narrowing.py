"""Tokens that top_k, top_p and min_p keep, and penalties that count the prompt, by hand."""

from typing import Any

import numpy as np
import pytest

from reference_server.engine.parameters import SamplingParameters
from reference_server.engine.penalties import Penalties
from reference_server.engine.sampling import Sampler, generator, narrowed
from tests.cases import for_each_case

WEIGHTS = np.array([0.4, 1.0, 0.4, 0.1, 0.1], np.float32)
"""Shares 0.2, 0.5, 0.2, 0.05 and 0.05."""


@for_each_case(
    ("parameters", "kept"),
    [
        ({"top_k": 1}, [1]),
        ({"top_k": 2}, [0, 1]),
        ({"top_k": 9}, [0, 1, 2, 3, 4]),
        ({"min_p": 1.0}, [1]),
        ({"min_p": 0.4}, [0, 1, 2]),
        ({"min_p": 0.41}, [1]),
        ({"top_k": 3, "min_p": 0.41}, [1]),
        ({"top_p": 0.6}, [0, 1]),
        # Of the three likeliest, one has 0.5 / 0.9 of the probability.
        ({"top_k": 3, "top_p": 0.55}, [1]),
        ({"top_p": 0.55}, [0, 1]),
        # Without the two below 0.2 of the likeliest, one has 0.5 / 0.9.
        ({"min_p": 0.2, "top_p": 0.55}, [1]),
        ({"min_p": 0.2, "top_p": 0.55, "temperature_last": True}, [0, 1]),
    ],
)
def test_kept_tokens(parameters: dict[str, Any], kept: list[int]) -> None:
    assert list(narrowed(WEIGHTS, SamplingParameters(**parameters))) == kept


def test_last_temperature_keeps_the_same_tokens() -> None:
    parameters = SamplingParameters(temperature=100, min_p=0.5, temperature_last=True)
    logits = np.array([0.0, 3.0, 2.5, -1.0, -2.0], np.float32)
    drawn = {Sampler(parameters, 5, (), generator(s, 0, 0)).pick(logits) for s in range(50)}
    assert drawn == {1, 2}


LOGITS = np.array([2.0, -2.0, 1.0, 0.0], np.float32)


def applied(prompt: list[int], sampled: list[int], **parameters: Any) -> list[float]:
    penalties = Penalties(SamplingParameters(**parameters), 4, (), prompt)
    for token in sampled:
        penalties.count(token)
    return [float(value) for value in penalties.apply(LOGITS)]


def test_penalties_count_sampled_tokens_alone() -> None:
    assert applied([0, 0], [2], frequency_penalty=1) == [2, -2, 0, 0]


def test_repetition_counts_prompt_and_sampled_once() -> None:
    assert applied([0, 1, 1], [2, 2], repetition_penalty=2) == [1, -4, 0.5, 0]


def test_repetition_may_leave_out_the_prompt() -> None:
    made = applied([0, 1, 1], [2, 2], repetition_penalty=2, repetition_of_prompt=False)
    assert made == [2, -2, 0.5, 0]


def test_repetition_comes_before_the_other_penalties() -> None:
    made = applied([0], [2], repetition_penalty=2, frequency_penalty=1)
    assert made == [1, -2, -0.5, 0]


def test_window_counts_the_last_tokens_of_both() -> None:
    assert applied([0, 0, 1], [2], frequency_penalty=1, penalty_window=2) == [2, -3, 0, 0]
    assert applied([0, 0], [], frequency_penalty=0.5, penalty_window=64) == [1, -2, 1, 0]


def test_bias_stays_where_a_token_leaves_the_window() -> None:
    made = applied([0], [2], presence_penalty=1, penalty_window=1, logit_bias=((0, 5.0),))
    assert made == [7, -2, 0, 0]


def test_banned_token_stays_banned() -> None:
    made = applied([0], [], repetition_penalty=2, logit_bias=((0, -np.inf),))
    assert made[0] == -np.inf
    assert made[1:] == pytest.approx([-2, 1, 0])
