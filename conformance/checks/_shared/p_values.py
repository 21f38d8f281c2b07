"""How probable a sample was: bounds from the log probabilities that the endpoint reports.

At temperature 1 a sample recurs with the product of its tokens' probabilities. A conforming
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
"""Alternatives to request; a conforming endpoint is assumed to sample from at least as many."""

_MARK = re.compile(r"<.+>|\[.+\]", re.DOTALL)

MIN_ALTERNATIVES = 3
"""The fewest alternatives from which a bound can be computed."""


def log_chance_of(choices: Iterable[Choice], *, hot: bool = False) -> float:
    """Bound the probability that these choices are sampled once more, as a natural logarithm.

    ``hot`` means a temperature of 1 or more, whatever convention the log probabilities follow: no
    token is more probable there than the likeliest one at 1.

    Raises:
        Failure: the log probabilities cannot be read.
        Missing: there are none.
    """
    bound = log_max_of if hot else log_bound_of
    return math.fsum(bound(position) for choice in choices for position in positions_of(choice))


def log_bound_of(position: Position) -> float:
    """Bound the log probability of the sampled token; 0 if it is unknown."""
    listed = listed_at(position)
    if position.logprob is None or len(listed) < MIN_ALTERNATIVES or not is_whole(position.token):
        return 0.0
    return _in_relation({**listed, position.token: math.exp(position.logprob)}, position.token)


def log_max_of(position: Position) -> float:
    """Bound the log probability of the likeliest token."""
    listed = listed_at(position)
    if len(listed) < MIN_ALTERNATIVES:
        return 0.0
    return max(_in_relation(listed, token) for token in listed)


def listed_at(position: Position) -> dict[str, float]:
    """Return the probabilities of the alternatives that are text.

    Some servers list control tokens, such as the end of text, that they never sample.
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
