"""Long texts cut to a page's budget, and what is cut is said.

A page has a budget of bytes, whatever an endpoint sends, and spends it where it helps: small texts
are whole, and large ones share what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.reports.html.highlight import cost, highlighted
from conformance.reports.marking import Spans
from conformance.reports.words import size


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text made readable; ``whole`` is the size of all of it, where this is a part."""

    shown: Markup
    whole: str | None


def fair_limit(costs: Sequence[int], budget: int, most: int) -> int:
    """Find how much each may cost so that all fit: the small ones whole, the large ones alike."""
    left = budget
    for place, each in enumerate(sorted(costs)):
        share = left // (len(costs) - place)
        if each > share:
            return min(share, most)
        left -= each
    return most


def kept_whole(costs: Mapping[str, int], budget: int, most: int) -> frozenset[str]:
    """Choose as many as possible to be whole, the cheapest first, of what has no use in part."""
    kept: list[str] = []
    for key, each in sorted(costs.items(), key=lambda item: item[1]):
        budget -= each
        if budget < 0 or each > most:
            break
        kept.append(key)
    return frozenset(kept)


def excerpt(
    text: str, limit: int, whole: int, *, complete: bool, marks: Callable[[str], Spans]
) -> Excerpt | None:
    """Show a text as far as it may cost, or None where there is none.

    Args:
        text: what to show.
        limit: bytes that it may cost.
        whole: bytes that there are of it in the record.
        complete: whether the text itself is all of it.
        marks: finds what is to be marked in what is shown.
    """
    if not text:
        return None
    shown = _cut_to_cost(text, limit)
    complete = complete and len(shown) == len(text)
    return Excerpt(highlighted(shown, marks(shown)), None if complete else size(whole))


def _cut_to_cost(text: str, limit: int) -> str:
    """Keep as much of the text's beginning as fits; halving steps, as its cost is not even."""
    if cost(text) <= limit:
        return text
    kept, step = 0, len(text)
    while step:
        if kept + step <= len(text) and cost(text[: kept + step]) <= limit:
            kept += step
        else:
            step //= 2
    return text[:kept]
