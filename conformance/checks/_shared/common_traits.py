"""What failing requests have in common and served ones do not: set algebra over their traits; pure.

    groups_of([{"n", "logprobs", "echo"}], [{"n", "echo"}, {"logprobs"}])
    # [Group(traits={"logprobs", "n"}, members=(0,))]

A combination of traits explains a failure if the request has it and no served request does. Of
all that explain as many failures, the smallest is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

Traits = frozenset[str]

MAX_TOGETHER = 3
"""The most traits that are tried together. Bugs that need four settings at once are rare."""

MAX_TRAITS = 14
"""The most traits of one request that are combined, which bounds the work."""


@dataclass(frozen=True, slots=True)
class Group:
    """Failing requests with one explanation; ``members`` are their positions."""

    traits: Traits
    members: tuple[int, ...]


def groups_of(
    failing: Sequence[Traits], served: Collection[Traits]
) -> tuple[tuple[Group, ...], tuple[int, ...]]:
    """Return groups that explain the failures, the largest first, and the unexplained failures.

    A failure is unexplained if a served request has all of its traits.
    """
    known = _widest(served)
    left = [place for place, one in enumerate(failing) if not _is_served(one, known)]
    unexplained = tuple(place for place in range(len(failing)) if place not in set(left))
    groups: list[Group] = []
    while left:
        best = _best([failing[place] for place in left], known)
        members = tuple(place for place in left if best <= failing[place])
        groups.append(Group(best, members))
        left = [place for place in left if place not in set(members)]
    return tuple(groups), unexplained


def explanations(one: Traits, served: Collection[Traits]) -> list[Traits]:
    """Return the plainest combinations of traits that no served request has, the plainest first.

    Those that are little less plain are among them, because the plainest may be a coincidence.
    """
    known = _widest(served)
    sizes = range(MAX_TOGETHER + 1)
    parts = (part for size in sizes for part in _parts(one, size))
    found = sorted((part for part in parts if not _is_served(part, known)), key=_plainness)
    if not found:
        return [one]
    most = weight(found[0]) + 1
    return [part for part in found if weight(part) <= most]


def plainest(found: Sequence[Traits]) -> Traits:
    """Return the traits of the plainest of several explanations; of several such, of all."""
    least = min(map(weight, found))
    return frozenset().union(*(part for part in found if weight(part) == least))


def weight(part: Traits) -> int:
    """Return how plain a combination is; a certain value counts like two traits."""
    return len(part) + sum(": " in trait for trait in part)


def _best(failing: Sequence[Traits], known: Sequence[Traits]) -> Traits:
    """Return the combination that explains the most failures; of several, the plainest."""
    tried: dict[Traits, int] = {}
    for one in failing:
        found = False
        for size in range(MAX_TOGETHER + 1):
            for part in _parts(one, size):
                if part not in tried:
                    is_common = _is_served(part, known)
                    tried[part] = 0 if is_common else sum(part <= other for other in failing)
                found = found or tried[part] > 0
        if not found:
            tried[one] = sum(one <= other for other in failing)
    return min(tried, key=lambda part: (-tried[part], _plainness(part)))


def _parts(traits: Traits, size: int) -> Iterator[Traits]:
    ordered = sorted(traits, key=lambda trait: _plainness(frozenset({trait})))[:MAX_TRAITS]
    return map(frozenset, combinations(ordered, size))


def _plainness(part: Traits) -> tuple[int, int, tuple[str, ...]]:
    """Order combinations: few traits first, and names of parameters before values."""
    return weight(part), len(part), tuple(sorted(part))


def _is_served(part: Traits, known: Sequence[Traits]) -> bool:
    return any(part <= other for other in known)


def _widest(served: Collection[Traits]) -> list[Traits]:
    """Leave out what another served request contains, because it excludes nothing more."""
    kept: list[Traits] = []
    for one in sorted(set(served), key=len, reverse=True):
        if not any(one <= other for other in kept):
            kept.append(one)
    return kept
