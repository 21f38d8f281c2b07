"""Long texts cut to a page's budget, and what is cut is said.

A page has a budget of bytes, whatever an endpoint sends, and spends it where it helps: small texts
are whole, and large ones share what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.language import Text
from conformance.reports.html.highlight import cost, highlighted
from conformance.reports.marking import Spans
from conformance.reports.words import size


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text made readable; ``left_out`` says what is not shown, and where to find it."""

    shown: Markup
    left_out: Text | None


def fair_limit(costs: Sequence[int], budget: int, most: int) -> int:
    """Find how much each may cost so that all fit: the small ones whole, the large ones alike."""
    left = budget
    for place, each in enumerate(sorted(costs)):
        share = left // (len(costs) - place)
        if each > share:
            return min(share, most)
        left -= each
    return most


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
    note = None if complete else _SHORTENED.format(size=size(whole))
    return Excerpt(highlighted(shown, marks(shown)), note)


_SHORTENED = Text(
    "Shortened; all {size} of it are in run.ndjson.", "已截短；完整的 {size} 在 run.ndjson 中。"
)


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
