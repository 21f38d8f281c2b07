"""Find what a long text repeats, so that a command can be short: ``" 1" * 2048``.

A request that exceeds a context is long, and says one thing often. Linear in the text's length.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_UNIT_CHARS = 16
"""Maximum characters of what is repeated."""

MIN_SAVED_CHARS = 200
"""Minimum characters that writing a repetition as such saves."""

MAX_DEPTH = 8
"""How often what is left of a text on both sides of a repetition is searched."""


class Piece(NamedTuple):
    """A text, and how often it follows itself."""

    text: str
    times: int = 1


def pieces_of(text: str, depth: int = MAX_DEPTH) -> tuple[Piece, ...]:
    """Split a text into pieces, of which those with ``times`` above 1 are repeated."""
    if not text:
        return ()
    found = _repeated(text) if depth and len(text) > MIN_SAVED_CHARS else None
    if found is None:
        return (Piece(text),)
    start, piece = found
    end = start + len(piece.text) * piece.times
    return (*pieces_of(text[:start], depth - 1), piece, *pieces_of(text[end:], depth - 1))


def _repeated(text: str) -> tuple[int, Piece] | None:
    """Return where a repetition that includes the middle of a text starts, and what it is."""
    middle = len(text) // 2
    sample = text[middle : middle + 2 * MAX_UNIT_CHARS]
    size = next((n for n in range(1, MAX_UNIT_CHARS + 1) if sample[n:] == sample[:-n]), None)
    if size is None:
        return None
    start, end = middle, middle + size
    while start and text[start - 1] == text[start - 1 + size]:
        start -= 1
    while end < len(text) and text[end] == text[end - size]:
        end += 1
    times = (end - start) // size
    if (times - 1) * size < MIN_SAVED_CHARS:
        return None
    return start, Piece(text[start : start + size], times)
