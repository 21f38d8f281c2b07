"""Truncate long texts to the page's budget in bytes.

Small texts are shown whole; large ones share the rest of the budget. Truncated texts show their
full size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.report.evidence_spans import Spans
from conformance.report.html.highlight import cost, highlighted
from conformance.report.locale.terms import size


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A highlighted text; ``whole`` is the full size if it is truncated."""

    shown: Markup
    whole: str | None


def fair_limit(costs: Sequence[int], budget: int, most: int) -> int:
    """Return the limit per text so that all fit: small ones whole, large ones equally."""
    left = budget
    for place, each in enumerate(sorted(costs)):
        share = left // (len(costs) - place)
        if each > share:
            return min(share, most)
        left -= each
    return most


def kept_whole(costs: Mapping[str, int], budget: int, most: int) -> frozenset[str]:
    """Return the keys of texts that fit whole, choosing the smallest first."""
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
    """Truncate and highlight a text; None if it is empty.

    Args:
        text: the text.
        limit: maximum bytes of HTML.
        whole: bytes of the text in the record.
        complete: whether ``text`` is complete.
        marks: returns the spans to mark in the shown text.
    """
    if not text:
        return None
    shown = _cut_to_cost(text, limit)
    complete = complete and len(shown) == len(text)
    return Excerpt(highlighted(shown, marks(shown)), None if complete else size(whole))


def _cut_to_cost(text: str, limit: int) -> str:
    """Return the longest prefix that fits, found by halving steps."""
    if cost(text) <= limit:
        return text
    kept, step = 0, len(text)
    while step:
        if kept + step <= len(text) and cost(text[: kept + step]) <= limit:
            kept += step
        else:
            step //= 2
    return text[:kept]
