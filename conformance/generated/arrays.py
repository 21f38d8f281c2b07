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

SALT = "0"
"""Decides between arrays that are as good as each other: the best of thirty for the live API."""


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
    among: Sequence[str],
    given: Sequence[Combination],
) -> list[Combination]:
    """Add rows to those ``given`` until any three values of the factors ``among`` stand together.

    Raises:
        NotApplicable: the library that makes arrays is not installed.
    """
    with extra():
        from covertable import make
    fields = [name for name in among if name in factors]
    if len(fields) < 3:
        return list(given)
    rows: list[Combination] = make(
        factors,
        strength=2,
        salt=SALT,
        sub_models=[{"fields": fields, "strength": 3}],
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
