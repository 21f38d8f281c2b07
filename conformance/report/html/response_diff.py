"""Differences between two responses to the same request.

Lines are matched first, then words within them, so that long streams are compared as well. Values
that always differ, such as the id and the time, are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from conformance.report.evidence_spans import Span, Spans, merged
from conformance.report.text_diff import (
    MAX_WORD_PAIRS,
    Segments,
    equal_pairs,
    is_comparable,
    side_by_side,
)

MAX_MARKS = 200
"""Maximum number of highlights in one response."""

_OWN = re.compile(
    r'"(?:id|created|model|system_fingerprint)"\s{0,9}:\s{0,9}(?:"[^"\n]*"|[-\d.eE+]+|null)'
)


def differences(one: str, other: str) -> tuple[Spans, Spans]:
    """Return the spans that differ in each text, without values that always differ."""
    lefts, rights = one.splitlines(keepends=True), other.splitlines(keepends=True)
    keys = [[_OWN.sub("", line) for line in lines] for lines in (lefts, rights)]
    few = equal_pairs(*(filter(str.strip, lines) for lines in keys)) <= MAX_WORD_PAIRS
    if not few or not is_comparable(*keys):
        return _words(one, other)
    starts = [[0, *accumulate(map(len, lines))] for lines in (lefts, rights)]
    found: tuple[list[Span], list[Span]] = ([], [])
    for ours, theirs in _changed(*keys):
        pairs = zip(_units(ours, theirs), _units(theirs, ours), strict=True)
        for left, right in pairs:
            spans = _words("".join(lefts[left]), "".join(rights[right]))
            for side, (unit, marks) in enumerate(zip((left, right), spans, strict=True)):
                base = starts[side][unit.start]
                found[side].extend((base + start, base + end) for start, end in marks)
    return merged(found[0], MAX_MARKS), merged(found[1], MAX_MARKS)


def _changed(lefts: Sequence[str], rights: Sequence[str]) -> Iterator[tuple[slice, slice]]:
    """Yield pairs of blocks of lines that replace each other."""
    matcher = SequenceMatcher(str.isspace, lefts, rights, autojunk=False)
    for kind, start, end, there, until in matcher.get_opcodes():
        if kind != "equal":
            yield slice(start, end), slice(there, until)


def _units(block: slice, other: slice) -> list[slice]:
    """Split a block into lines if both sides have equally many, otherwise keep it whole."""
    if block.stop - block.start != other.stop - other.start:
        return [block]
    return [slice(place, place + 1) for place in range(block.start, block.stop)]


def _words(one: str, other: str) -> tuple[Spans, Spans]:
    if not one.strip() or not other.strip():
        return _all(one), _all(other)
    left, right = side_by_side(one, other)
    if len(left) < 2 and len(right) < 2:
        return (), ()
    return _telling(one, left), _telling(other, right)


def _all(text: str) -> Spans:
    return ((0, len(text.rstrip("\n"))),) if text.strip() else ()


def _telling(text: str, fragments: Segments) -> Spans:
    if len(fragments) < 2:
        return ()
    own = [match.span() for match in _OWN.finditer(text)]
    spans: list[tuple[int, int]] = []
    place = 0
    for fragment in fragments:
        end = place + len(fragment.text)
        within = any(start <= place and end <= stop for start, stop in own)
        if fragment.differs and not within:
            spans.append((place, end))
        place = end
    return merged(spans, MAX_MARKS)
