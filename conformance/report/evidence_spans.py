"""Find the parts of a response body that a finding refers to, to highlight them.

A finding says what was seen, such as ``usage.total_tokens = 19``. Names and JSON values in this
text are searched in the body; what cannot be found is not highlighted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

MAX_MARKS = 20
"""Maximum number of highlights in one body."""

SHORTEST = 2
"""Minimum characters of a string that is searched without a name."""

MAX_TEXTS, MAX_SEARCHES = 50, 500
"""Maximum number of findings, and of places tried, for one body: an endpoint can make a body of
thousands of members with the same name, each of which would be parsed."""

MAX_VALUE_CHARS = 2_000
"""Maximum characters of a value in a body; a finding shows a value of at most a few hundred."""

_CLAIM = re.compile(r"([A-Za-z_][\w\[\]. -]*?) = ")
_NAME = re.compile(r"[A-Za-z_]{2,}")
_decoder = json.JSONDecoder()

Span = tuple[int, int]
Spans = tuple[Span, ...]


def pointed_out(body: str, result: Iterable[str]) -> Spans:
    """Return the spans of a body that findings refer to, sorted and disjoint."""
    texts = islice(dict.fromkeys(result), MAX_TEXTS)
    searches = iter(range(MAX_SEARCHES))
    return merged(span for words in texts for span in _spans(body, words, searches))


def _spans(body: str, words: str, searches: Iterator[int]) -> list[Span]:
    """Find one finding's values; a name with a value has precedence over a value alone."""
    claims = _CLAIM.finditer(words)
    found = [span for claim in claims for span in _named(body, words, claim, searches)]
    return found or list(_quoted(body, words, searches))


def _named(body: str, words: str, claim: re.Match[str], searches: Iterator[int]) -> Iterator[Span]:
    try:
        value, _ = _decoder.raw_decode(words, claim.end())
    except (ValueError, RecursionError):
        return
    for name in dict.fromkeys(_NAME.findall(claim[1])):
        for _, member in zip(searches, re.finditer(rf'"{name}"\s*:\s*', body), strict=False):
            start = member.end()
            try:
                there, size = _decoder.raw_decode(body[start : start + MAX_VALUE_CHARS])
            except (ValueError, RecursionError):
                continue
            if there == value and isinstance(there, bool) == isinstance(value, bool):
                yield member.start(), start + size


def _quoted(body: str, words: str, searches: Iterator[int]) -> Iterator[Span]:
    place = words.find('"')
    while place >= 0 and next(searches, None) is not None:
        try:
            text, end = _decoder.raw_decode(words, place)
        except (ValueError, RecursionError):
            text, end = "", place + 1
        if len(text) >= SHORTEST:
            yield from _occurrences(body, text)
        place = words.find('"', end)


def _occurrences(body: str, text: str) -> Iterator[Span]:
    """Find a string in its JSON form, with and without Unicode escapes."""
    for written in {json.dumps(text, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}:
        for match in re.finditer(re.escape(written), body):
            yield match.span()


def merged(spans: Iterable[Span], most: int = MAX_MARKS) -> Spans:
    """Sort spans, merge adjacent ones and keep the first ``most``."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined[:most])
