"""From logits to the next token: bias, penalties, temperature, likely tokens, one random number."""

import secrets
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from reference_server.engine.backend import Floats
from reference_server.engine.constraint import Follower
from reference_server.engine.parameters import SamplingParameters
from reference_server.engine.penalties import Penalties

_WORD = 2**64
_BLOCK = 64


class Sampler:
    """Chooses the tokens of one choice; its random numbers depend only on its key."""

    def __init__(
        self,
        parameters: SamplingParameters,
        vocabulary: int,
        forbidden: Iterable[int],
        generator: np.random.Generator,
        prompt: Sequence[int] = (),
        *,
        held: Iterable[int] = (),
        until: int = 0,
        follower: Follower | None = None,
    ) -> None:
        """``prompt`` is what the model reads, for the penalties that count it.

        ``held`` are tokens that are not among the first ``until`` ones. ``follower`` says which
        tokens a constraint allows.
        """
        self._follower = follower
        self._held = [token for token in held if token < vocabulary]
        self._left = until
        self._parameters = parameters
        self._generator = generator
        self._penalties = Penalties(parameters, vocabulary, forbidden, prompt)

    def pick(self, logits: Floats) -> int:
        """The next token, given logits of shape [vocabulary]; counts it for the penalties.

        Raises BrokenConstraintError.
        """
        scored = self._penalties.apply(logits)
        if self._left > 0:
            self._left -= 1
            scored[self._held] = -np.inf
        if self._follower is not None:
            scored = _constrained(scored, logits, self._follower)
        token = int(scored.argmax()) if self._parameters.temperature == 0 else self._drawn(scored)
        self._penalties.count(token)
        if self._follower is not None:
            self._follower.advance(token)
        return token

    def _drawn(self, scored: Floats) -> int:
        parameters = self._parameters
        uniform = self._generator.random()
        if not parameters.narrows:
            return draw(probabilities(scored, parameters.temperature), uniform)
        if parameters.temperature_last:
            kept = narrowed(probabilities(scored, 1.0), parameters)
            weights = probabilities(scored[kept], parameters.temperature)
        else:
            tempered = probabilities(scored, parameters.temperature)
            kept = narrowed(tempered, parameters)
            weights = tempered[kept]
        return int(kept[draw(weights, uniform)])


def narrowed(weights: Floats, parameters: SamplingParameters) -> NDArray[np.intp]:
    """The ids, ascending, of the tokens that `top_k`, `top_p` and `min_p` keep."""
    kept = np.arange(len(weights))
    if parameters.min_p > 0 and not parameters.temperature_last:
        kept = kept[at_least(weights[kept], parameters.min_p)]
    if parameters.top_k > 0:
        kept = kept[likeliest(weights[kept], parameters.top_k)]
    if parameters.top_p < 1:
        kept = kept[nucleus(weights[kept], parameters.top_p)]
    if parameters.min_p > 0 and parameters.temperature_last:
        kept = kept[at_least(weights[kept], parameters.min_p)]
    return kept


def _constrained(scored: Floats, logits: Floats, follower: Follower) -> Floats:
    """Leave out what a constraint forbids; where nothing else is left, its tokens by themselves."""
    mask = follower.allowed()
    kept: Floats = np.where(mask, scored, np.float32(-np.inf))
    if kept.max() == -np.inf:
        kept = np.where(mask, logits, np.float32(-np.inf))
    return kept


def likeliest(weights: Floats, count: int) -> NDArray[np.intp]:
    """The places, ascending, of the ``count`` largest weights; the first among equals."""
    return np.sort(np.argsort(-weights, kind="stable")[:count])


def at_least(weights: Floats, share: float) -> NDArray[np.intp]:
    """The places, ascending, of weights of at least this share of the largest."""
    places: NDArray[np.intp] = (weights >= share * weights.max()).nonzero()[0]
    return places


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
