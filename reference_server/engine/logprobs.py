"""Log probabilities as the API reports them: the model's own, before temperature, bias or penalty.

(OpenAI reports them so, and vLLM by default.) They are rounded to eight decimals, more than the
precision of 32-bit arithmetic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference_server.engine.backend import Floats

DECIMALS = 8


@dataclass(frozen=True)
class TokenScore:
    """The log probability of a token, and the likeliest alternatives."""

    logprob: float
    top: tuple[tuple[int, float], ...]
    """Pairs of id and log probability, likeliest first, always including the token itself."""
    token: int = -1
    """The token, where it is ranked."""
    rank: int = 0
    """One more than the tokens that are likelier; 0 where tokens are not ranked."""


def score(
    logits: Floats, tokens: Sequence[int], top: int, named: int | None = None
) -> list[TokenScore]:
    """Score ``tokens[i]`` by ``logits[i]``, logits of shape [tokens, vocabulary].

    Each has ``top`` alternatives with ids below ``named``, because a model's vocabulary may be
    padded with unused ids. The token itself is added if it is not one of them.
    """
    normalisers = _log_normaliser(logits)
    return [
        _score(row, token, normaliser, _likeliest(row[:named], top))
        for row, token, normaliser in zip(logits, tokens, normalisers, strict=True)
    ]


def ranked(scores: Sequence[TokenScore], logits: Floats, tokens: Sequence[int]) -> list[TokenScore]:
    """The scores with the rank of each token, by the logits that they were made from."""
    return [
        replace(score, token=token, rank=1 + int((row > row[token]).sum()))
        for score, row, token in zip(scores, logits, tokens, strict=True)
    ]


def render(token: bytes) -> str:
    r"""A token as a string: its text, or ``bytes:\xe2\x80`` if it is not whole characters."""
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


def _score(row: Floats, token: int, normaliser: float, likeliest: list[int]) -> TokenScore:
    logprob = _logprob(row[token], normaliser)
    best = [(other, _logprob(row[other], normaliser)) for other in likeliest]
    if all(other != token for other, _ in best):
        best.append((token, logprob))
    return TokenScore(logprob, tuple(best))


def _likeliest(row: Floats, count: int) -> list[int]:
    """The ids of the largest logits, largest first, the lower id first among equals."""
    if count == 0:
        return []
    if count == 1:
        return [int(row.argmax())]
    count = min(count, len(row))
    border = np.partition(row, len(row) - count)[len(row) - count]
    ids = np.flatnonzero(row >= border)
    ordered: list[int] = ids[np.argsort(-row[ids], kind="stable")].tolist()
    return ordered[:count]


def _log_normaliser(logits: Floats) -> list[float]:
    highest = logits.max(axis=-1, keepdims=True)
    sums = np.exp(logits - highest).sum(axis=-1, dtype=np.float64)
    return [float(value) for value in np.log(sums) + highest[..., 0]]


def _logprob(logit: np.float32, normaliser: float) -> float:
    # Rounding can make a near-certain token slightly more than certain.
    return min(0.0, round(float(logit) - normaliser, DECIMALS))
