"""Covering arrays: few combinations in which every two values of any two factors occur together.

Most interaction faults need two factors, and nearly all need at most three (Kuhn, Wallace and
Gallo, *Software Fault Interactions and Implications for Software Testing*, 2004). An array of
strength two covers all pairs; selected groups of factors can be covered at strength three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from conformance.generation._imports import quietly

Factors = Mapping[str, Sequence[str]]
"""The levels of each factor, by the factor's name."""

Combination = Mapping[str, str]
"""One level of each factor."""

Allowed = Callable[[Mapping[str, str]], bool]
"""Decides whether levels may be combined. It is called with a part of the factors or with all."""

Constraint = tuple[tuple[str, ...], Allowed]
"""A condition, after the names of the factors that it reads."""

SALT = "16"
"""Chooses between arrays of equal strength. Of the values tried, this gives the shortest core."""


def pairwise(factors: Factors, allowed: Sequence[Constraint]) -> list[Combination]:
    """Return combinations that cover every allowed pair of levels."""
    with quietly():
        from covertable import make
    rows: list[Combination] = make(
        factors, strength=2, salt=SALT, constraints=_covertable_constraints(factors, allowed)
    )
    return rows


def threewise(
    factors: Factors,
    allowed: Sequence[Constraint],
    *,
    among: Sequence[Sequence[str]],
    given: Sequence[Combination],
) -> list[Combination]:
    """Extend combinations until they also cover selected triples of levels.

    Args:
        factors: the factors and their levels.
        allowed: the constraints on combinations.
        among: groups of factor names; all triples of levels within a group are covered.
        given: the combinations to start with; they come first in the result.
    """
    with quietly():
        from covertable import make
    groups = [[name for name in group if name in factors] for group in among]
    rows: list[Combination] = make(
        factors,
        strength=2,
        salt=SALT,
        sub_models=[{"fields": group, "strength": 3} for group in groups if len(group) > 2],
        presets=[dict(row) for row in given],
        constraints=_covertable_constraints(factors, allowed),
    )
    return rows


def _covertable_constraints(
    factors: Factors, allowed: Sequence[Constraint]
) -> list[Mapping[str, object]]:
    """Return the constraints in covertable's format, without those about absent factors."""
    return [
        {"operator": "fn", "requires": list(names), "evaluate": holds}
        for names, holds in allowed
        if all(name in factors for name in names)
    ]
