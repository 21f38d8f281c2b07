"""Which settings make a request fail: the next request that shows most; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

from conformance.checks._shared.common_traits import Traits, explanations, weight

ALWAYS = frozenset({"model", "prompt", "max_tokens"})
"""Parameters that every request keeps."""

NEEDS: Mapping[str, str] = {"stream_options": "stream"}
"""Parameters that are valid only with another one."""

MAX_DROPPABLE = 8
"""The most parameters of which all combinations are looked at."""


def candidates_of(failing: Sequence[Traits], served: Collection[Traits]) -> list[Traits]:
    """Return the combinations that explain all failures, and that no served request has."""
    return explanations(frozenset.intersection(*failing), served)


def next_trial(body: Mapping[str, Any], left: Sequence[Traits]) -> dict[str, Any] | None:
    """Return a smaller request that about half of the explanations say fails; None if none does.

    Args:
        body: a failing request.
        left: the explanations that are possible.
    """
    least = min(map(weight, left))
    likely = [one for one in left if weight(one) == least]
    needed = [frozenset(map(_parameter, one)) - ALWAYS for one in left]
    first = [frozenset(map(_parameter, one)) - ALWAYS for one in likely]
    droppable = sorted(body.keys() - ALWAYS, key=lambda name: (name != "temperature", name))
    if len(droppable) > MAX_DROPPABLE:
        wanted = frozenset().union(*needed)
        droppable = sorted(wanted & body.keys())[:MAX_DROPPABLE]
    best: tuple[float, float, int, tuple[str, ...]] | None = None
    for size in range(len(droppable)):
        for kept in combinations(droppable, size):
            if any(name in kept and other not in kept for name, other in NEEDS.items()):
                continue
            failing = sum(one <= set(kept) for one in needed)
            if 0 < failing < len(left):
                plain = sum(one <= set(kept) for one in first)
                even = abs(plain - len(likely) / 2)
                found = (even, abs(failing - len(left) / 2), size, kept)
                best = found if best is None else min(best, found)
    if best is None:
        return None
    names = {*best[3], *ALWAYS}
    return {name: value for name, value in body.items() if name in names}


def _parameter(trait: str) -> str:
    """Return the parameter that a trait is about."""
    found = re.search(r"`(\w+)", trait)
    return found[1] if found else "prompt"
