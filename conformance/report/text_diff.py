"""A word-level diff of two texts; pure and safe for any text.

Words are compared as a whole, so ``length`` and ``stop`` differ entirely. Combining characters stay
with their base character: accents, variation selectors, joined emoji.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_WORD_PAIRS = 10_000
"""Limit for pairs of equal words; beyond it the whole middle part counts as different."""

MAX_COMPARISONS = 2_000_000
"""Limit for all pairs of words: the search for common runs takes that many steps, if the runs are
short and many."""

MIN_SHARED_FRACTION = 0.3
"""Minimum common share of the shorter text; below it no differences are marked."""

_ATTACHED = "\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
"""Combining marks, variation selectors and skin tones: part of the previous character."""

_WORD = re.compile(
    rf"[A-Za-z0-9_]+[{_ATTACHED}]*|\s+|.[{_ATTACHED}]*(?:\u200d.[{_ATTACHED}]*)*", re.DOTALL
)


_EXCLUSION = re.compile(r'(?:without|other than|不含|不为|不以) ("(?:[^"\\]|\\.)+")')
"""What an expected value must not contain, in either language."""


_BETWEEN = (" vs. ", " 与 ")
"""Between two values of which the second is what the first was compared with, in each language."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text; ``differs`` if the other text lacks it."""

    text: str
    differs: bool


Segments = tuple[Segment, ...]


def side_by_side(left: str, right: str) -> tuple[Segments, Segments]:
    """Split two texts into equal and different pieces; the pieces of a side join to its text.

    Texts with too little in common are returned as one piece each. If the left text says what must
    not be in the other, such as ``text without ", 1"``, that is what differs in both. If the right
    one is two values, ``"a" vs. "b"``, they are compared with each other. Of two statuses only
    these differ, whatever body follows.
    """
    known = _statuses(left, right) or _excluded(left, right)
    if known is not None:
        return known
    values = _two_values(right)
    if values is None:
        return _diffed(left, right)
    one, between, other, remark = values
    ours, theirs = _diffed(one, other)
    return _whole(left), (*ours, *_whole(between), *theirs, *_whole(remark))


def _two_values(text: str) -> tuple[str, str, str, str] | None:
    """Split ``"a" vs. "b" (remark)`` at its two values; None if it is anything else."""
    for between in _BETWEEN:
        one, found, rest = text.partition(between)
        if found and one[:1] in _OPENING and rest[:1] in _OPENING and one and rest:
            end = max(rest.rfind(sign) for sign in _CLOSING) + 1
            return one, between, rest[:end], rest[end:]
    return None


_OPENING, _CLOSING = frozenset('["'), ('"', "]", "…")


def _diffed(left: str, right: str) -> tuple[Segments, Segments]:
    lefts, rights = _WORD.findall(left), _WORD.findall(right)
    blocks = _shared_blocks(lefts, rights)
    shared = sum(len(word) for start, _, size in blocks for word in lefts[start : start + size])
    if shared < MIN_SHARED_FRACTION * min(len(left), len(right)) or not shared:
        return _whole(left), _whole(right)
    return (
        _segments(lefts, [(start, size) for start, _, size in blocks]),
        _segments(rights, [(start, size) for _, start, size in blocks]),
    )


def _statuses(left: str, right: str) -> tuple[Segments, Segments] | None:
    """Mark two different statuses, not the body behind the right one; None if these are none."""
    wanted, got = _STATUSES.fullmatch(left), _STATUS.match(right)
    if wanted is None or got is None or got[1] in re.findall(r"\d+", wanted[1]):
        return None
    return _marked(left, [wanted.span(1)]), _marked(right, [got.span(1)])


_STATUSES = re.compile(r"(?:status |状态码 ?)(\d{3}(?:(?: or | ?或 ?)\d{3})*)", re.ASCII)
_STATUS = re.compile(r"(?:status |状态码 ?)(\d{3})(?!\d)", re.ASCII)


def _excluded(left: str, right: str) -> tuple[Segments, Segments] | None:
    """Mark what the left text excludes; None if it excludes nothing that the right one has."""
    found = _EXCLUSION.search(left)
    part = found[1][1:-1] if found else ""
    if found is None or not part or part not in right:
        return None
    # The name before the value may contain it too.
    name = right.find(" = ") + 1
    places = [match.start() for match in re.finditer(re.escape(part), right)]
    spans = [(start, start + len(part)) for start in places if start >= name]
    return _marked(left, [(found.start(1) + 1, found.end(1) - 1)]), _marked(right, spans)


def _marked(text: str, spans: Iterable[tuple[int, int]]) -> Segments:
    segments: list[Segment] = []
    place = 0
    for start, end in spans:
        segments += (Segment(text[place:start], False), Segment(text[start:end], True))
        place = end
    segments.append(Segment(text[place:], False))
    return tuple(segment for segment in segments if segment.text)


def _shared_blocks(lefts: Sequence[str], rights: Sequence[str]) -> list[tuple[int, int, int]]:
    """Find common runs of words as (left index, right index, length)."""
    shorter = min(len(lefts), len(rights))
    head = next((i for i in range(shorter) if lefts[i] != rights[i]), shorter)
    room = shorter - head
    tail = next((i for i in range(room) if lefts[-1 - i] != rights[-1 - i]), room)
    inner_lefts, inner_rights = lefts[head : len(lefts) - tail], rights[head : len(rights) - tail]
    blocks = [(0, 0, head)]
    if is_comparable(inner_lefts, inner_rights) and (
        equal_pairs(_words(inner_lefts), _words(inner_rights)) <= MAX_WORD_PAIRS
    ):
        # Blanks and punctuation only extend a match that starts with a word.
        matcher = SequenceMatcher(_is_sign, inner_lefts, inner_rights, autojunk=False)
        blocks += [
            (head + block.a, head + block.b, block.size)
            for block in matcher.get_matching_blocks()
            if any(word[0].isalnum() for word in inner_lefts[block.a : block.a + block.size])
        ]
    blocks.append((len(lefts) - tail, len(rights) - tail, tail))
    return [block for block in blocks if block[2]]


def _words(segments: Iterable[str]) -> Iterator[str]:
    return (segment for segment in segments if not _is_sign(segment))


def _is_sign(word: str) -> bool:
    return not word[0].isalnum()


def is_comparable(lefts: Sequence[str], rights: Sequence[str]) -> bool:
    """Return whether two sequences are short enough to search for common runs."""
    return len(lefts) * len(rights) <= MAX_COMPARISONS


def equal_pairs(lefts: Iterable[str], rights: Iterable[str]) -> int:
    """Count the pairs of equal items, which bounds the cost of the comparison."""
    there = Counter(rights)
    return sum(count * there[item] for item, count in Counter(lefts).items())


def _segments(words: Sequence[str], shared: Iterable[tuple[int, int]]) -> Segments:
    segments: list[Segment] = []
    place = 0

    def add(end: int, *, differs: bool) -> None:
        if end > place:
            segments.append(Segment("".join(words[place:end]), differs))

    for start, size in shared:
        add(start, differs=True)
        place = start
        add(start + size, differs=False)
        place = start + size
    add(len(words), differs=True)
    return tuple(segments)


def _whole(text: str) -> Segments:
    return (Segment(text, differs=False),) if text else ()
