"""How probable a sample was: bounds from the log probabilities that the endpoint reports.

At temperature 1 a sample comes again with the product of its tokens' probabilities. A conforming
endpoint may keep fewer tokens than it lists (by a hidden ``top_k`` or ``min_p``), and list one that
it never samples (a banned end of text), which makes the others more probable than reported. So each
probability is divided by the sum of the listed ones, without the likeliest other token.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from conformance.checks._shared.characters import is_whole
from conformance.checks._shared.token_scores import Position, positions_of
from conformance.protocol.completion import Choice

LISTED_ALTERNATIVES = 5
"""Alternatives that are asked for: as many tokens, at least, are taken to be sampled from."""

_MARK = re.compile(r"<.+>|\[.+\]", re.DOTALL)

MIN_ALTERNATIVES = 3
"""Alternatives without which a bound says nothing."""


def log_chance_of(choices: Iterable[Choice], *, hot: bool = False) -> float:
    """Bound how probable it was that just these choices are sampled once more.

    ``hot`` speaks of a temperature of 1 or more, whatever convention the log probabilities follow:
    no token is more probable there than the likeliest one is at 1.

    Raises:
        Deviation: the log probabilities cannot be read.
        Absence: there are none.
    """
    bound = log_max_of if hot else log_bound_of
    return math.fsum(bound(position) for choice in choices for position in positions_of(choice))


def log_bound_of(position: Position) -> float:
    """Bound the log probability of the token that was taken; 0 where nothing is known of it."""
    listed = listed_at(position)
    if position.logprob is None or len(listed) < MIN_ALTERNATIVES or not is_whole(position.token):
        return 0.0
    return _in_relation({**listed, position.token: math.exp(position.logprob)}, position.token)


def log_max_of(position: Position) -> float:
    """Bound the log probability of whatever token is the likeliest."""
    listed = listed_at(position)
    if len(listed) < MIN_ALTERNATIVES:
        return 0.0
    return max(_in_relation(listed, token) for token in listed)


def listed_at(position: Position) -> dict[str, float]:
    """The probabilities of the alternatives that are text, under a name of their own.

    Marks such as the end of the text are listed by some servers that never take them.
    """
    top = position.top or {}
    return {
        token: math.exp(min(score, 0.0))
        for token, score in top.items()
        if token and is_whole(token) and not _MARK.fullmatch(token)
    }


def _in_relation(listed: Mapping[str, float], token: str) -> float:
    others = sorted(chance for other, chance in listed.items() if other != token)
    share = listed[token] / (listed[token] + math.fsum(others[:-1])) if listed[token] else 0.0
    return math.log(share) if share > 0 else -math.inf
