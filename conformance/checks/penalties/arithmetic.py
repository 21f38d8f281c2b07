"""Whether greedy responses follow the formula of the penalties, computed from their own scores.

``score[j] - count[j] * frequency - (count[j] > 0) * presence``, where only sampled tokens count: by
this formula the sampled token has to be the best, if the reported scores are those before the
penalties. If they are those after the penalties, it has to be the best as they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.checks._shared.token_scores import Position

MIN_LOGPROB_GAP_NATS = 0.3
"""What a better token has to be better by, in nats, to be no matter of rounding."""

MIN_CONTRADICTIONS = 2
"""Places that have to contradict the formula: a single token may be one that the server bans."""


@dataclass(frozen=True, slots=True)
class Penalised:
    """A greedy answer under penalties: which, the tokens taken, and the prompt's text."""

    positions: Sequence[Position]
    prompt: str
    presence: float = 0.0
    frequency: float = 0.0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A place at which another token was better, by so many nats."""

    number: int
    taken: str
    better: str
    lead: float

    def __str__(self) -> str:
        """Say it in words."""
        return (
            f"token {self.number} is {self.taken!r}, although {self.better!r} is better by"
            f" {self.lead:.2f} nats"
        )


def contradictions(responses: Sequence[Penalised]) -> list[Contradiction]:
    """Return where answers contradict the formula, and nothing where any reading of it fits them.

    A penalty that counts the prompt's tokens too is for another check to find.
    """
    own = [c for response in responses for c in _contradicting(response)]
    left = [c for one in responses for c in _contradicting(replace(one, presence=0, frequency=0))]
    with_prompt = [c for one in responses for c in _contradicting(one, one.prompt)]
    return own if len(own) >= MIN_CONTRADICTIONS and left and with_prompt else []


def _contradicting(response: Penalised, read: str = "") -> list[Contradiction]:
    """Return the places at which the best token was not taken; ``read`` counts as sampled."""
    counts: Counter[str] = Counter()
    found: list[Contradiction] = []

    def score(token: str, logprob: float) -> float:
        times = counts[token] + (read.count(token) if token.strip() else 0)
        return logprob - times * response.frequency - (response.presence if times else 0)

    for place in response.positions:
        if place.logprob is not None and place.top:
            taken = score(place.token, place.logprob)
            others = [(score(token, s), token) for token, s in place.top.items() if _is_word(token)]
            best, better = max(others, default=(taken, place.token))
            if best > taken + MIN_LOGPROB_GAP_NATS:
                found.append(Contradiction(place.number, place.token, better, best - taken))
        counts[place.token] += 1
    return found


def _is_word(token: str) -> bool:
    """Tell an ordinary token from control tokens and parts of characters, which may be banned."""
    return any(map(str.isalpha, token)) and not token.strip().startswith(("<", "bytes:"))
