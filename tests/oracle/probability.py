"""From logits to the next token: the arithmetic of choosing, in 64 bits.

Each function is one line of the table in the server's README; the penalties are OpenAI's published
formula, ``logit[j] -= count[j] * frequency + (count[j] > 0) * presence``.
"""

from collections.abc import Sequence

import numpy as np

from tests.oracle.model import Floats
from tests.oracle.request import CompletionRequest


def preferences(
    logits: Floats, request: CompletionRequest, sampled: Sequence[int], unspoken: Sequence[int]
) -> Floats:
    """The logits with bias and penalties; what is never sampled has minus infinity."""
    preferred = logits.copy()
    for token, bias in request.bias.items():
        preferred[token] += bias
    for token, count in zip(*np.unique(np.array(sampled, int), return_counts=True), strict=True):
        preferred[token] -= count * request.frequency + request.presence
    preferred[list(unspoken)] = -np.inf
    return preferred


def probabilities(preferred: Floats, temperature: float) -> Floats:
    with np.errstate(over="ignore"):  # minus infinity is right for what is beyond all numbers
        weights = np.exp((preferred - preferred.max()) / temperature)
    return weights / weights.sum()


def nucleus(likely: Floats, top_p: float) -> Floats:
    """The fewest likeliest whose sum reaches `top_p`, lower ids first among equals, one at least.

    They keep the probabilities they had, so they need not add up to 1.
    """
    order = np.argsort(-likely, kind="stable")
    before = np.cumsum(likely[order]) - likely[order]
    kept = order[(before < top_p) | (order == order[0])]
    return np.where(np.isin(np.arange(len(likely)), kept), likely, 0.0)


def uniforms(seed: int, prompt: int, candidate: int, count: int) -> list[float]:
    """The numbers in [0, 1) that one candidate's tokens are drawn by."""
    key = np.array([seed % 2**64, prompt * 2**32 + candidate], np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random(count).tolist()


def drawn_between(likely: Floats, token: int) -> tuple[float, float]:
    """The numbers by which a token is drawn: from the first up to, not including, the second."""
    shares = np.cumsum(likely) / likely.sum()
    return (shares[token - 1] if token else 0.0), shares[token]
