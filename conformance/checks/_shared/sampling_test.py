"""How often tokens are sampled, compared with the log probabilities that the endpoint reports.

One position is sampled many times. Among the tokens listed there, whichever a conforming endpoint
keeps, the odds are those of the reported probabilities to the power of 1 / temperature: a hidden
``top_k``, ``top_p`` or ``min_p`` and banned tokens do not change the odds of the others. So the
highest likelihood that any conforming endpoint gives to the counts is compared with that of
endpoints of other temperatures. That ratio exceeds 1 / p by chance with a probability of p at most
(a mixture likelihood ratio, by Markov's inequality), for every model and every first sample.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

POWERS = (0.25, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0)
"""Powers of the probabilities in the endpoints that a conforming one is compared with."""

MAX_ROUNDING = 0.01
"""The probability that rounding to two digits may hide."""

MAX_BANNED_TOKENS = 2
"""How many of the listed tokens a conforming endpoint may ban."""

UNLISTED = ""
"""Stands for a token that is not listed."""

UNLISTED_SHARES = (0.02, 0.15, 0.4, 0.7, 0.95)
"""The share of tokens that are not listed in those."""


@dataclass(frozen=True, slots=True)
class Place:
    """One position: the probabilities of the listed tokens at temperature 1."""

    listed: Mapping[str, float]

    @property
    def rest(self) -> float:
        """The probability of all other tokens, within rounding."""
        return max(MAX_ROUNDING, 1.0 - math.fsum(self.listed.values()))


def log_chance(place: Place, tokens: Iterable[str], temperature: float) -> float:
    """Bound the probability of such counts, or worse, at a conforming endpoint, as a logarithm."""
    counts = Counter(token if token in place.listed else None for token in tokens)
    others = [log for power in POWERS for log in log_others(place, counts, power)]
    mixed = _log_sum(others) - math.log(len(others))
    return min(0.0, log_correct(place, counts, temperature) - mixed)


def log_correct(place: Place, counts: Counter[str | None], temperature: float) -> float:
    """Return the highest log likelihood of the counts at any conforming endpoint.

    It may ban two listed tokens, and keep any part of the unlisted ones, whose weight at
    temperature 1 is at most the remaining probability.
    """
    weights = {token: p ** (1 / temperature) for token, p in place.listed.items() if p > 0}
    most = place.rest if temperature == 1 else math.inf
    untaken = [token for token in weights if not counts[token]]
    bans = [
        frozenset(ban)
        for size in range(MAX_BANNED_TOKENS + 1)
        for ban in combinations(untaken, size)
    ]
    return max(
        _log_likelihood({t: w for t, w in weights.items() if t not in ban}, counts, most)
        for ban in bans
    )


def log_others(place: Place, counts: Counter[str | None], power: float) -> list[float]:
    """Return the log likelihoods of the counts if probabilities are raised to another power.

    There is one for each of :data:`UNLISTED_SHARES`.
    """
    weights = {token: p**power for token, p in place.listed.items() if p > 0}
    whole = math.fsum(weights.values())
    taken = [(counts[token], weight) for token, weight in weights.items() if counts[token]]
    unlisted = counts.total() - _listed(counts, weights)
    return [
        math.fsum(count * math.log((1 - rest) * weight / whole) for count, weight in taken)
        + unlisted * math.log(rest)
        for rest in UNLISTED_SHARES
    ]


def typical_log_chance(place: Place, temperature: float, other: float, samples: int) -> float:
    """Return the usual result for samples that were taken at another temperature."""
    weights = {token: p ** (1 / other) for token, p in place.listed.items() if p > 0}
    scale = samples * (1 - place.rest) / math.fsum(weights.values())
    tokens = [token for token, weight in weights.items() for _ in range(round(scale * weight))]
    return log_chance(place, [*tokens, *[UNLISTED] * (samples - len(tokens))], temperature)


def _log_likelihood(
    weights: Mapping[str, float], counts: Counter[str | None], most: float
) -> float:
    whole = math.fsum(weights.values())
    listed = _listed(counts, weights)
    unlisted = counts.total() - listed
    # The weight of the unlisted tokens is free up to its maximum: the likeliest one is used.
    rest = min(most, unlisted * whole / listed if listed else math.inf)
    if math.isinf(rest):
        return 0.0
    if unlisted and not rest:
        return -math.inf
    terms = [counts[token] * math.log(weight) for token, weight in weights.items()]
    tail = unlisted * math.log(rest) if unlisted else 0.0
    return math.fsum(terms) + tail - counts.total() * math.log(whole + rest)


def _listed(counts: Counter[str | None], weights: Mapping[str, float]) -> int:
    return sum(count for token, count in counts.items() if token in weights)


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum(math.exp(one - top) for one in logs))
