"""Two answers to the same request beside each other, with what differs between them marked."""

from __future__ import annotations

import re

from conformance.reports.difference import Pieces, side_by_side
from conformance.reports.marking import Spans, merged

MOST = 200
"""Marks in one answer; past them, the rest is simply another answer."""

_OWN = re.compile(
    r'"(?:id|created|model|system_fingerprint)"\s{0,9}:\s{0,9}(?:"[^"\n]*"|[-\d.eE+]+|null)'
)
"""What is each answer's own: it differs between any two, and tells nothing."""


def differences(one: str, other: str) -> tuple[Spans, Spans]:
    """Find what differs in either text, leaving out what always does."""
    pieces = side_by_side(one, other)
    return _telling(one, pieces[0]), _telling(other, pieces[1])


def _telling(text: str, pieces: Pieces) -> Spans:
    if len(pieces) < 2:
        return ()
    own = [match.span() for match in _OWN.finditer(text)]
    spans: list[tuple[int, int]] = []
    place = 0
    for piece in pieces:
        end = place + len(piece.text)
        within = any(start <= place and end <= stop for start, stop in own)
        if piece.differs and not within:
            spans.append((place, end))
        place = end
    return merged(spans, MOST)
