"""Two texts side by side, with what differs marked: pure, and safe for any text.

Texts are compared by words, so that a reader sees ``length`` against ``stop`` and not the letters
these happen to share. A character keeps what belongs to it: accents, variants, joined emoji.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_PAIRS = 10_000
"""Pairs of equal words that are looked at; past them the whole middle counts as different."""

LEAST_SHARED = 0.3
"""Share of the shorter text that both must have in common: else marking all would mark nothing."""

_ATTACHED = "\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
"""Accents, marks around a character, variants, shades of skin: part of the character before."""

_WORD = re.compile(
    rf"[A-Za-z0-9_]+[{_ATTACHED}]*|\s+|.[{_ATTACHED}]*(?:\u200d.[{_ATTACHED}]*)*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text that the other text has, too, or that ``differs``."""

    text: str
    differs: bool


Pieces = tuple[Piece, ...]


def side_by_side(left: str, right: str) -> tuple[Pieces, Pieces]:
    """Part two texts into what they share and what differs; each side joins to its text.

    Nothing is marked where the texts have so little in common that they are simply two texts.
    """
    lefts, rights = _WORD.findall(left), _WORD.findall(right)
    blocks = _shared_blocks(lefts, rights)
    shared = sum(len(word) for start, _, size in blocks for word in lefts[start : start + size])
    if shared < LEAST_SHARED * min(len(left), len(right)) or not shared:
        return _whole(left), _whole(right)
    return (
        _pieces(lefts, [(start, size) for start, _, size in blocks]),
        _pieces(rights, [(start, size) for _, start, size in blocks]),
    )


def _shared_blocks(lefts: Sequence[str], rights: Sequence[str]) -> list[tuple[int, int, int]]:
    """Find runs of words that both have: where on the left, where on the right, how many."""
    shorter = min(len(lefts), len(rights))
    head = next((i for i in range(shorter) if lefts[i] != rights[i]), shorter)
    room = shorter - head
    tail = next((i for i in range(room) if lefts[-1 - i] != rights[-1 - i]), room)
    inner_lefts, inner_rights = lefts[head : len(lefts) - tail], rights[head : len(rights) - tail]
    blocks = [(0, 0, head)]
    if equal_pairs(_words(inner_lefts), _words(inner_rights)) <= MOST_PAIRS:
        # Blanks and signs are shared by any two texts: they only extend what words begin.
        matcher = SequenceMatcher(_is_sign, inner_lefts, inner_rights, autojunk=False)
        blocks += [
            (head + block.a, head + block.b, block.size)
            for block in matcher.get_matching_blocks()
            if any(word[0].isalnum() for word in inner_lefts[block.a : block.a + block.size])
        ]
    blocks.append((len(lefts) - tail, len(rights) - tail, tail))
    return [block for block in blocks if block[2]]


def _words(pieces: Iterable[str]) -> Iterator[str]:
    return (piece for piece in pieces if not _is_sign(piece))


def _is_sign(word: str) -> bool:
    return not word[0].isalnum()


def equal_pairs(lefts: Iterable[str], rights: Iterable[str]) -> int:
    """Count the pairs of equal items, which is what comparing costs again and again."""
    there = Counter(rights)
    return sum(count * there[item] for item, count in Counter(lefts).items())


def _pieces(words: Sequence[str], shared: Iterable[tuple[int, int]]) -> Pieces:
    pieces: list[Piece] = []
    place = 0

    def add(end: int, *, differs: bool) -> None:
        if end > place:
            pieces.append(Piece("".join(words[place:end]), differs))

    for start, size in shared:
        add(start, differs=True)
        place = start
        add(start + size, differs=False)
        place = start + size
    add(len(words), differs=True)
    return tuple(pieces)


def _whole(text: str) -> Pieces:
    return (Piece(text, differs=False),) if text else ()
