"""Make control characters in text from an endpoint visible.

Control characters drive terminals, bidirectional overrides reorder a line, zero-width characters
hide text. Each becomes a visible mark; none is removed, because a report is evidence. Escaping for
HTML, XML or Markdown comes afterwards.
"""

from __future__ import annotations

import unicodedata

_PICTURES = 0x2400
"""First code point of the symbols for ASCII control characters."""

_DELETE, _DELETE_PICTURE = 0x7F, 0x2421

_HARMLESS = frozenset({0x200C, 0x200D})
"""Zero-width joiners, which emoji and several scripts need."""

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible formatting, lone surrogates, line and paragraph separators."""


class _Marks(dict[int, str]):
    """Replacement per code point, filled on first use."""

    def __missing__(self, code: int) -> str:
        mark = self[code] = _mark(code)
        return mark


def _mark(code: int) -> str:
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return chr(_DELETE_PICTURE)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if code not in _HARMLESS and (noncharacter or unicodedata.category(chr(code)) in _ACTING):
        return f"⟨U+{code:04X}⟩"
    return chr(code)


_LINE = _Marks()
_LINES = _Marks({ord("\n"): "\n", ord("\t"): "\t"})


def line(text: str) -> str:
    """Return a safe text on one line; a newline becomes ``␊``."""
    return text.translate(_LINE)


def lines(text: str) -> str:
    """Return a safe text with newlines and tabs kept."""
    return text.replace("\r\n", "\n").translate(_LINES)


def cut(text: str, limit: int) -> str:
    """Shorten a text to ``limit`` characters, ending with an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
