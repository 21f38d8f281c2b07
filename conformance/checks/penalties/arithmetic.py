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
from conformance.message import Message, say

MIN_LOGPROB_GAP_NATS = 0.3
"""Minimum lead of a better token, in nats, that is not due to rounding."""

MIN_CONTRADICTIONS = 2
"""Minimum positions that contradict the formula: a server may ban a single token."""


@dataclass(frozen=True, slots=True)
class Penalised:
    """A greedy response with penalties: the penalties, the chosen tokens, and the prompt's text."""

    positions: Sequence[Position]
    prompt: str
    presence: float = 0.0
    frequency: float = 0.0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A position at which another token was better, by ``lead`` nats."""

    number: int
    taken: str
    better: str
    lead: float

    @property
    def said(self) -> Message:
        """The same in words."""
        return say(
            "token {number} is {taken}, although {better} is better by {lead} nats",
            number=self.number,
            taken=repr(self.taken),
            better=repr(self.better),
            lead=f"{self.lead:.2f}",
        )


def contradictions(responses: Sequence[Penalised]) -> list[Contradiction]:
    """Return where responses contradict the formula; empty if any reading of it fits them.

    Another check detects a penalty that also counts the prompt's tokens.
    """
    own = [c for response in responses for c in _contradicting(response)]
    left = [c for one in responses for c in _contradicting(replace(one, presence=0, frequency=0))]
    with_prompt = [c for one in responses for c in _contradicting(one, one.prompt)]
    return own if len(own) >= MIN_CONTRADICTIONS and left and with_prompt else []


def _contradicting(response: Penalised, read: str = "") -> list[Contradiction]:
    """Return the positions at which the best token was not chosen; ``read`` counts as sampled."""
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
    """Return whether a token is whole text: control tokens and partial characters may be banned."""
    return any(map(str.isalpha, token)) and not token.strip().startswith(("<", "bytes:"))
