"""Covering arrays: few rows in which any two values of any two factors stand together once.

Most faults that hide show where two things meet, nearly all where three do (Kuhn, Wallace and
Gallo, *Software Fault Interactions and Implications for Software Testing*, 2004). An array of
strength two covers the pairs; some factors can be covered by threes as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from conformance.generated._extra import extra

Factors = Mapping[str, Sequence[str]]
"""Each factor's name with its values."""

Combination = Mapping[str, str]
"""One value of each factor."""

Allowed = Callable[[Mapping[str, str]], bool]
"""Tells whether values may stand together; it is asked of some factors as well as of all."""

SALT = "2"
"""Decides between arrays that are as good as each other: of many it gives the shortest."""


def pairwise(
    factors: Factors, allowed: Sequence[tuple[tuple[str, ...], Allowed]]
) -> list[Combination]:
    """Make rows in which any two values that may stand together do.

    Args:
        factors: what is combined.
        allowed: conditions, each behind the names of the factors that it is about.

    Raises:
        NotApplicable: the library that makes arrays is not installed.
    """
    with extra():
        from covertable import make
    rows: list[Combination] = make(
        factors, strength=2, salt=SALT, constraints=_written(factors, allowed)
    )
    return rows


def threewise(
    factors: Factors,
    allowed: Sequence[tuple[tuple[str, ...], Allowed]],
    *,
    among: Sequence[Sequence[str]],
    given: Sequence[Combination],
) -> list[Combination]:
    """Add rows to those ``given`` until more than pairs are covered.

    Args:
        factors: what is combined.
        allowed: conditions, each behind the names of the factors that it is about.
        among: groups of factors; any three values of those in a group are to stand together.
        given: the rows to begin with.

    Raises:
        NotApplicable: the library that makes arrays is not installed.
    """
    with extra():
        from covertable import make
    groups = [[name for name in group if name in factors] for group in among]
    rows: list[Combination] = make(
        factors,
        strength=2,
        salt=SALT,
        sub_models=[{"fields": group, "strength": 3} for group in groups if len(group) > 2],
        presets=[dict(row) for row in given],
        constraints=_written(factors, allowed),
    )
    return rows


def _written(
    factors: Factors, allowed: Sequence[tuple[tuple[str, ...], Allowed]]
) -> list[Mapping[str, object]]:
    """Write conditions as the library reads them, leaving out those about no factor."""
    return [
        {"operator": "fn", "requires": list(names), "evaluate": holds}
        for names, holds in allowed
        if all(name in factors for name in names)
    ]
