"""Find stop sequences in a text that arrives in parts of any size.

The text ends where, read character by character, a sequence is complete for the first time; of
several complete at the same character, the one that began first counts. Token boundaries are
irrelevant. Only characters that may begin a sequence are held back; the Knuth-Morris-Pratt
automaton of each sequence gives their number.
"""

from collections.abc import Sequence
from functools import lru_cache


class StopMatcher:
    """Reads generated text and releases what is certain to be in the completion."""

    def __init__(self, sequences: Sequence[str], *, keeps: bool = False) -> None:
        """``keeps``: whether the released text includes the sequence that was found."""
        self._keeps = keeps
        self._automata = [(sequence, _borders(sequence)) for sequence in sequences]
        self._matched = [0] * len(self._automata)
        self._held = ""
        self.found: str | None = None
        """The sequence that ended the text."""

    @property
    def held(self) -> int:
        """The number of characters held back: the longest prefix of a sequence at the end."""
        return len(self._held)

    def feed(self, text: str) -> str:
        """Add generated text; returns what can be released. Once `found`, nothing more is."""
        if self.found or not self._automata:
            return "" if self.found else text
        window = self._held + text
        for position in range(len(self._held), len(window)):
            longest = self._step(window[position])
            if longest:
                self.found = window[position + 1 - longest : position + 1]
                self._held = ""
                return window[: position + 1 - (0 if self._keeps else longest)]
        certain = len(window) - max(self._matched)
        self._held = window[certain:]
        return window[:certain]

    def flush(self) -> str:
        """Release the characters held back: the text has ended without completing a sequence."""
        held, self._held = self._held, ""
        self._matched = [0] * len(self._automata)
        return held

    def _step(self, character: str) -> int:
        """Advance every automaton; the length of the longest sequence now complete, or 0."""
        longest = 0
        for i, (sequence, borders) in enumerate(self._automata):
            matched = self._matched[i]
            while matched and sequence[matched] != character:
                matched = borders[matched - 1]
            if sequence[matched] == character:
                matched += 1
            self._matched[i] = matched
            if matched == len(sequence):
                longest = max(longest, matched)
        return longest


@lru_cache(maxsize=256)
def _borders(sequence: str) -> tuple[int, ...]:
    """For each prefix of the sequence, the length of its longest proper border (KMP's table)."""
    borders = [0]
    matched = 0
    for character in sequence[1:]:
        while matched and sequence[matched] != character:
            matched = borders[matched - 1]
        if sequence[matched] == character:
            matched += 1
        borders.append(matched)
    return tuple(borders)
