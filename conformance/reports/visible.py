"""Text from an endpoint, made safe to look at: what would act on the reader's screen shows itself.

Control characters drive terminals, bidirectional overrides turn a line around, zero-width ones hide
words. None of them is dropped, because a report is evidence: each becomes a visible mark. Escaping
for HTML, XML or Markdown is the format's own business and comes after this.
"""

from __future__ import annotations

import unicodedata

_PICTURES = 0x2400
"""Unicode draws each ASCII control character, from here on."""

_DELETE, _DELETE_PICTURE = 0x7F, 0x2421

_HARMLESS = frozenset({0x200C, 0x200D})
"""The joiners: emoji and several scripts are not themselves without them."""

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible formatting, lone surrogates, line and paragraph separators."""


class _Marks(dict[int, str]):
    """What stands for each code point; learned as characters turn up, kept for the next."""

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
    """Make a text safe and one line long: a newline becomes ``␊``."""
    return text.translate(_LINE)


def lines(text: str) -> str:
    """Make a text safe and keep its newlines and tabs."""
    return text.replace("\r\n", "\n").translate(_LINES)


def cut(text: str, limit: int) -> str:
    """Shorten a text to ``limit`` characters, an ellipsis in the place of the rest."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
