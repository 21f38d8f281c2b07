"""From logits to the next token: bias, penalties, temperature, nucleus, one random number.

The order and the formula of the penalties are those that OpenAI published:
``logit[j] -= count[j] * frequency_penalty + (count[j] > 0) * presence_penalty``, where only tokens
sampled for this choice count, not those of the prompt.
"""

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_server.engine.backend import Floats

_WORD = 2**64
_BLOCK = 64


@dataclass(frozen=True)
class SamplingParameters:
    """How tokens are chosen. Temperature 0 takes the likeliest, the lowest id among equals."""

    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one choice; its random numbers depend only on its key."""

    def __init__(
        self,
        parameters: SamplingParameters,
        vocabulary: int,
        forbidden: Iterable[int],
        generator: np.random.Generator,
    ) -> None:
        self._parameters = parameters
        self._generator = generator
        self._counts: Counter[int] = Counter()
        self._bias = dict(parameters.logit_bias)
        self._penalises = bool(parameters.presence_penalty or parameters.frequency_penalty)
        self._shift = np.zeros(vocabulary, np.float32)
        for id_, bias in parameters.logit_bias:
            self._shift[id_] = bias
        self._shift[list(forbidden)] = -np.inf

    def pick(self, logits: Floats) -> int:
        """The next token, given logits of shape [vocabulary]; counts it for the penalties."""
        shifted = logits + self._shift
        if self._parameters.temperature == 0:
            token = int(shifted.argmax())
        else:
            weights = probabilities(shifted, self._parameters.temperature)
            uniform = self._generator.random()
            if self._parameters.top_p < 1:
                kept = nucleus(weights, self._parameters.top_p)
                token = int(kept[draw(weights[kept], uniform)])
            else:
                token = draw(weights, uniform)
        if self._penalises:
            self._penalise(token)
        return token

    def _penalise(self, token: int) -> None:
        self._counts[token] += 1
        if self._shift[token] != -np.inf:
            self._shift[token] = (
                self._bias.get(token, 0.0)
                - self._counts[token] * self._parameters.frequency_penalty
                - self._parameters.presence_penalty
            )


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Softmax at a temperature above 0, up to a constant factor: the largest weight is 1."""
    # Subtracting first avoids infinity minus infinity, even at a temperature of 1e-300.
    centred = logits - logits.max()
    if temperature != 1:
        with np.errstate(over="ignore"):
            centred = (centred.astype(np.float64) / temperature).astype(np.float32)
    weights: Floats = np.exp(centred, out=centred)
    return weights


def nucleus(weights: Floats, top_p: float) -> NDArray[np.intp]:
    """The ids, ascending, of the fewest likeliest tokens whose share reaches ``top_p``.

    Among equally likely tokens at the boundary, lower ids are kept; at least one token is kept.
    """
    total = float(weights.sum(dtype=np.float64))
    # A token below an equal share of the remainder cannot be in the nucleus; this leaves few to
    # sort.
    likely = (weights >= (1 - top_p) * total / len(weights)).nonzero()[0]
    ranked = np.sort(weights[likely])[::-1]
    reached = ranked.cumsum(dtype=np.float64)
    size = min(int(reached.searchsorted(top_p * total, side="left")) + 1, len(ranked))
    border = ranked[size - 1]
    kept: NDArray[np.intp] = likely[weights[likely] >= border]
    if len(kept) > size:
        equals = kept[weights[kept] == border]
        kept = np.setdiff1d(kept, equals[size - len(kept) :], assume_unique=True)
    return kept


def draw(weights: Floats, uniform: float) -> int:
    """The token at which the cumulative weights exceed ``uniform`` (in [0, 1)) of their sum.

    Found in two steps, first the block, then the token in it: a cumulative sum over the vocabulary
    would take longer than all other work on a token.
    """
    blocks = np.add.reduceat(weights, np.arange(0, len(weights), _BLOCK), dtype=np.float64)
    cumulated = blocks.cumsum()
    target = uniform * cumulated[-1]
    block = int(cumulated.searchsorted(target, side="right"))
    start = block * _BLOCK
    inner = weights[start : start + _BLOCK].cumsum(dtype=np.float64)
    if block:
        inner += cumulated[block - 1]
    place = int(inner.searchsorted(target, side="right"))
    if place < len(inner):
        return start + place
    # Rounding can move the target to the end of a block, or of all blocks; the result is then the
    # last token before it that has any weight.
    return int(weights[: start + _BLOCK].nonzero()[0][-1])


def fresh_seed() -> int:
    """A random seed, for a request without one."""
    return secrets.randbelow(_WORD)


def generator(seed: int, prompt: int, candidate: int) -> np.random.Generator:
    """The random numbers of one candidate: a separate Philox stream, independent of the load."""
    key: NDArray[np.uint64] = np.array([seed % _WORD, prompt << 32 | candidate], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
