"""Highlight JSON and event streams; pure and safe for any text.

Only names and strings are coloured, with the shortest HTML elements, because page size is limited
and a response with logprobs has thousands of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup

Span = tuple[int, int]

_TOKEN = re.compile(
    r"""
    (?P<i>"(?:[^"\\\n]|\\.)*"?)     # a string; an unterminated one ends with the line
    (?P<b>\s{0,9}:)?                # before a colon it is a name
    |^(?P<u>data|event|id|retry):   # a field of an event stream
    """,
    re.VERBOSE | re.MULTILINE,
)
MARKUP = 7
"""Bytes that the two tags around a token take."""


def highlighted(text: str, marks: Sequence[Span] = ()) -> Markup:
    """Highlight a text and mark spans of it.

    Args:
        text: the text, which is escaped.
        marks: spans to mark, sorted and disjoint.
    """
    tokens = list(_tokens(text))
    written: list[str] = []
    place = 0
    for start, end in marks:
        written.append(_coloured(text, place, start, tokens))
        written.append(f"<mark>{_coloured(text, start, end, tokens)}</mark>")
        place = end
    written.append(_coloured(text, place, len(text), tokens))
    return Markup("".join(written))  # noqa: S704 - every stretch of the text was escaped


def cost(text: str) -> int:
    """Return an upper bound for the bytes of highlighted HTML."""
    quotes = text.count('"')
    escapes = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return len(text.encode()) + escapes + MARKUP * (quotes // 2 + 1)


def _tokens(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _TOKEN.finditer(text):
        kind = "b" if match["b"] else "i" if match["i"] else "u"
        start, end = match.span("i" if match["i"] else "u")
        yield start, end, kind


def _coloured(text: str, start: int, end: int, tokens: list[tuple[int, int, str]]) -> str:
    """Highlight one span, including partial tokens.

    Removes tokens that end before ``end`` from ``tokens``.
    """
    written: list[str] = []
    place = start
    used = 0
    for first, last, kind in tokens:
        if first >= end:
            break
        opening, closing = max(first, start), min(last, end)
        if opening < closing:
            written.append(_escaped(text[place:opening]))
            written.append(f"<{kind}>{_escaped(text[opening:closing])}</{kind}>")
            place = closing
        used += last <= end
    del tokens[:used]
    written.append(_escaped(text[place:end]))
    return "".join(written)


def _escaped(text: str) -> str:
    """Escape element content; quotation marks need no escape there."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
