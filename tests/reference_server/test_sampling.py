"""How a token is chosen from logits and a random number."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.engine.parameters import SamplingParameters
from reference_server.engine.sampling import (
    Sampler,
    draw,
    generator,
    nucleus,
    probabilities,
)

FIVE = np.array([1.0, 3.0, 2.0, 3.0, -1.0], np.float32)


def sampler(forbidden: tuple[int, ...] = (), seed: int = 0, **parameters: Any) -> Sampler:
    return Sampler(SamplingParameters(**parameters), 5, forbidden, generator(seed, 0, 0))


def test_temperature_zero_chooses_the_likeliest_token() -> None:
    assert sampler(temperature=0).pick(FIVE) == 1


def test_tiny_temperature_leaves_only_the_likeliest() -> None:
    assert {sampler(temperature=1e-300, seed=s).pick(FIVE) for s in range(50)} == {1, 3}


def test_forbidden_tokens_are_never_chosen() -> None:
    assert sampler((1, 3), temperature=0).pick(FIVE) == 2
    assert sampler((1,), temperature=0, logit_bias=((1, 100.0),)).pick(FIVE) == 3


def test_bias_is_added_to_the_logit() -> None:
    assert sampler(temperature=0, logit_bias=((2, 1.5),)).pick(FIVE) == 2
    assert sampler(temperature=0, logit_bias=((2, 0.5),)).pick(FIVE) == 1


def test_penalties_follow_the_published_formula_on_sampled_tokens() -> None:
    logits = np.array([10.0, 9.0, 0.0, 0.0, 0.0], np.float32)
    once = sampler(temperature=0, presence_penalty=1.5)
    assert [once.pick(logits) for _ in range(4)] == [0, 1, 0, 0], "10-1.5 < 9, then 8.5 > 7.5"
    counted = sampler(temperature=0, frequency_penalty=0.6)
    # 0 is worth 10, 9.4, 8.8, 8.2 and 1 is worth 9, 8.4: they take turns by what is left.
    assert [counted.pick(logits) for _ in range(5)] == [0, 0, 1, 0, 1]
    both = sampler(temperature=0, presence_penalty=0.5, frequency_penalty=0.6)
    assert [both.pick(logits) for _ in range(4)] == [0, 1, 0, 0]
    rewarded = sampler(temperature=0, presence_penalty=-2.0, logit_bias=((1, 1.5),))
    assert [rewarded.pick(logits) for _ in range(3)] == [1, 1, 1]


def test_temperature_scales_the_logits() -> None:
    weights = probabilities(FIVE, 2.0)
    expected = np.exp(FIVE.astype(np.float64) / 2)
    assert weights / weights.sum() == pytest.approx(expected / expected.sum(), rel=1e-5)


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12).filter(any), st.floats(0, 0.9375)
)
def test_nucleus_is_the_smallest_set_reaching_top_p(values: list[float], top_p: float) -> None:
    weights = np.array(values, np.float32)
    order = sorted(range(len(values)), key=lambda i: (-weights[i], i))
    total, reached, expected = float(weights.sum(dtype=np.float64)), 0.0, []
    for token in order:
        expected.append(token)
        reached += float(weights[token])
        if reached >= top_p * total:
            break
    assert nucleus(weights, top_p).tolist() == sorted(t for t in expected if weights[t] > 0)


def test_top_p_zero_leaves_one_token() -> None:
    assert nucleus(np.full(8, 0.5, np.float32), 0.0).tolist() == [0]


def test_sampled_tokens_lie_in_the_nucleus() -> None:
    assert {sampler(top_p=0.6, seed=s).pick(FIVE) for s in range(50)} == {1, 3}
    assert {sampler(top_p=0.9, seed=s).pick(FIVE) for s in range(50)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("uniform", "token"), [(0.0, 1), (0.2499, 1), (0.25, 3), (0.9999999999999999, 3)]
)
def test_tokens_without_weight_are_never_drawn(uniform: float, token: int) -> None:
    assert draw(np.array([0, 1, 0, 3, 0], np.float32), uniform) == token


@settings(derandomize=True, deadline=None)
@given(st.data())
def test_draw_inverts_the_cumulative_weights(data: st.DataObject) -> None:
    # Whole numbers, and fractions of a power of two: nothing is rounded, so there is one answer.
    size = data.draw(st.integers(1, 400))
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size).filter(any))
    share = data.draw(st.integers(0, 2**20 - 1))
    passed, token = drawn[0] * 2**20, 0
    while passed <= share * sum(drawn):
        token += 1
        passed += drawn[token] * 2**20
    assert draw(np.array(drawn, np.float32), share / 2**20) == token


@pytest.mark.parametrize("place", [0, 63, 64, 65, 127, 128, 199])
def test_number_at_a_boundary_draws_the_next_token(place: int) -> None:
    weights = np.zeros(200, np.float32)
    weights[: place + 1] = 1
    weights[place] = place or 1  # so that the border is at a half, where nothing is rounded
    assert draw(weights, 0.5 if place else 0.0) == place


def test_draw_ignores_rounding_past_the_last_weight() -> None:
    below_one = 1 - 2**-53
    for zeros in (0, 1, 63, 64, 200):
        weights = np.zeros(70 + zeros, np.float32)
        weights[:70] = 1e-30
        weights[69] = 0.1
        assert draw(weights, below_one) == 69


def test_sampled_tokens_follow_the_distribution() -> None:
    chosen = sampler(seed=1)
    counts = np.bincount([chosen.pick(FIVE) for _ in range(20_000)], minlength=5)
    expected = np.exp(FIVE.astype(np.float64))
    expected *= 20_000 / expected.sum()
    # Chi-square with 4 degrees of freedom: 18.5 is passed once in a thousand seeds; this is one.
    assert float(((counts - expected) ** 2 / expected).sum()) < 18.5


def test_random_numbers_depend_on_seed_prompt_and_candidate() -> None:
    def numbers(*key: int) -> list[float]:
        return list(generator(*key).random(4))

    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (2**63 - 1, 0, 0)]
    assert all(numbers(*key) == numbers(*key) for key in keys)
    assert len({tuple(numbers(*key)) for key in keys}) == len(keys)
