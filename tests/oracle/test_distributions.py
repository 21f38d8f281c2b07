"""Sampled tokens follow the exact distribution: an exact test over many samples.

The seeds are fixed, so each of these tests has one outcome, not another one time in a thousand.
"""

from collections import Counter
from itertools import product
from typing import Any

import pytest

from tests.oracle import probability
from tests.oracle.client import ask
from tests.oracle.oracle import MODEL, Oracle
from tests.oracle.request import read
from tests.oracle.significance import p_value

SIGNIFICANT = 1e-3
LISTED = 1 / 64
"""First tokens at least this likely are counted by their second token, too."""

FREE: dict[str, Any] = {"prompt": "Once upon a time"}
REPEATING: dict[str, Any] = {"prompt": " no no no no", "logit_bias": {931: 9}}
"""Goes on with the prompt's own token, " no", about every other time."""
CASES: dict[str, dict[str, Any]] = {
    "as the model has it": FREE,
    "temperature 0.3": {**FREE, "temperature": 0.3},
    "temperature 0.7": {"prompt": "春眠不觉晓，", "temperature": 0.7},
    "temperature 2": {"prompt": "red green blue red", "temperature": 2},
    "top_p 0.1": {"prompt": "The", "top_p": 0.1},
    "top_p 0.5": {"prompt": "如果您想要", "top_p": 0.5},
    "top_p 0.9": {"prompt": "1, 2, 3,", "top_p": 0.9},
    "temperature before top_p": {"prompt": "The old king", "temperature": 1.6, "top_p": 0.6},
    "a token preferred": REPEATING,
    "a token banned": {"prompt": "The old king", "logit_bias": {2084: -100}},
    "penalties": {**REPEATING, "presence_penalty": 1.5, "frequency_penalty": 0.5},
    "rewards": {**REPEATING, "presence_penalty": -0.5, "frequency_penalty": -1.5},
    "all at once": {**REPEATING, "frequency_penalty": 2, "temperature": 1.3, "top_p": 0.8},
    "a gap to fill": {"prompt": "1, 2, 3,", "suffix": " 5, 6, 7"},
    "no prompt": {},
}

Sample = tuple[int, ...]


def samples(oracle: Oracle, **body: Any) -> list[Sample]:
    """The tokens of every choice."""
    response = ask(oracle.client, {"model": MODEL, "max_tokens": 2, "logprobs": 0, **body})
    names = [choice["logprobs"]["tokens"] for choice in response["choices"]]
    return [tuple(oracle.vocabulary.ids[name] for name in each) for each in names]


def distribution(oracle: Oracle, body: dict[str, Any], before: Sample = ()) -> dict[int, float]:
    """What the next token is, after what was sampled before, and how likely."""
    request = read(body, oracle.vocabulary)
    logits = oracle.model.read((*request.prompts[0].read, *before))[-1].logits
    preferred = probability.preferences(logits, request, before, oracle.vocabulary.unspoken)
    likely = probability.probabilities(preferred, request.temperature)
    if request.top_p < 1:
        likely = probability.nucleus(likely, request.top_p)
    return {token: share / likely.sum() for token, share in enumerate(likely) if share > 0}


def pairs(oracle: Oracle, body: dict[str, Any]) -> dict[Sample, float]:
    """How likely each two tokens are; after an unlikely first one, whatever comes second."""
    expected = {}
    for first, share in distribution(oracle, body).items():
        if share < LISTED or first == oracle.vocabulary.end:
            expected[first,] = share
        else:
            after = distribution(oracle, body, (first,))
            expected |= {(first, second): share * then for second, then in after.items()}
    return expected


@pytest.mark.parametrize("name", CASES)
def test_token_pairs_follow_the_exact_distribution(oracle: Oracle, name: str) -> None:
    expected = pairs(oracle, CASES[name])
    drawn = [
        sample if sample in expected else sample[:1]
        for seed in range(12)
        for sample in samples(oracle, n=128, seed=seed, **CASES[name])
    ]
    assert p_value(Counter(drawn), expected) > SIGNIFICANT


MANY: dict[str, tuple[dict[str, Any], int]] = {
    "choices": ({**FREE, "n": 128}, 8),
    "prompts": ({"prompt": [FREE["prompt"]] * 128}, 8),
    "requests": (FREE, 300),
}


@pytest.mark.parametrize("shape", MANY)
def test_samples_and_seeds_are_independent(oracle: Oracle, shape: str) -> None:
    body, seeds = MANY[shape]
    expected = distribution(oracle, FREE)
    drawn = [
        token
        for seed in range(seeds)
        for (token,) in samples(oracle, seed=seed, max_tokens=1, **body)
    ]
    assert p_value(Counter(drawn), expected) > SIGNIFICANT
    frequent = {token: share for token, share in expected.items() if share > LISTED}
    both = {pair: expected[pair[0]] * expected[pair[1]] for pair in product(frequent, repeat=2)}
    neighbours = zip(drawn[::2], drawn[1::2], strict=True)
    result = Counter(pair if pair in both else None for pair in neighbours)
    assert p_value(result, {**both, None: 1 - sum(both.values())}) > SIGNIFICANT
