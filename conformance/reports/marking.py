"""Where in an answer's body the thing stands that a finding speaks of.

A finding says what was seen in words, such as ``usage.total_tokens = 19``. The names and the JSON
values in them are looked up in the body, so that a reader need not search for them. What cannot be
found is not marked; nothing here is evidence, it only points at some.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

MOST = 20
"""Marks in one body; more would be a colour and no pointer."""

SHORTEST = 2
"""Characters of a string that is looked for by itself, without a name beside it."""

_CLAIM = re.compile(r"([A-Za-z_][\w\[\]. -]*?) = ")
_NAME = re.compile(r"[A-Za-z_]{2,}")
_decoder = json.JSONDecoder()

Span = tuple[int, int]
Spans = tuple[Span, ...]


def pointed_out(body: str, told: Iterable[str]) -> Spans:
    """Find in a body what the findings' words speak of: in order, none touching another."""
    return merged(span for words in told for span in _spans(body, words))


def _spans(body: str, words: str) -> list[Span]:
    """Find what one finding says; a name with its value goes before a value alone."""
    found = [span for claim in _CLAIM.finditer(words) for span in _named(body, words, claim)]
    return found or list(_quoted(body, words))


def _named(body: str, words: str, claim: re.Match[str]) -> Iterator[Span]:
    try:
        value, _ = _decoder.raw_decode(words, claim.end())
    except (ValueError, RecursionError):
        return
    for name in _NAME.findall(claim[1]):
        for member in re.finditer(rf'"{name}"\s*:\s*', body):
            try:
                there, end = _decoder.raw_decode(body, member.end())
            except (ValueError, RecursionError):
                continue
            if there == value and isinstance(there, bool) == isinstance(value, bool):
                yield member.start(), end


def _quoted(body: str, words: str) -> Iterator[Span]:
    place = words.find('"')
    while place >= 0:
        try:
            text, end = _decoder.raw_decode(words, place)
        except (ValueError, RecursionError):
            text, end = "", place + 1
        if len(text) >= SHORTEST:
            yield from _occurrences(body, text)
        place = words.find('"', end)


def _occurrences(body: str, text: str) -> Iterator[Span]:
    """Find a string as JSON writes it, with or without escapes for what is not ASCII."""
    for written in {json.dumps(text, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}:
        for match in re.finditer(re.escape(written), body):
            yield match.span()


def merged(spans: Iterable[Span], most: int = MOST) -> Spans:
    """Put spans in order and join those that touch; only the first ones are kept."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined[:most])
