r"""Views of a body: the same text without an encoding, with the way back to the body's offsets.

A view is made in one linear pass; what it changed is worked out again only if a secret is in it.
Views can be chained: the decoded view of a body that is encoded twice has a decoded view.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, permutations

PASSES = 10
"""Maximum number of encodings around each other that are removed one by one."""

LONGEST_RUN = 64
"""Backslashes in a row that are halved, as JSON does, in a view that is not greedy."""

MOST_TOKENS = 10_000
"""Maximum number of escapes whose meaning is remembered."""

KINDS_APART = 3
"""Maximum number of encodings of one kind that are removed before those of another kind."""

CHUNK = 2**16
"""Bytes that are decoded at a time."""

SINGLE_PASSES = 3
"""The first passes decode ``%2573`` to ``%73``, as a key can contain such text; the others to s."""


# Every alternative consumes all that it has looked at, so no byte is read a second time. Each
# begins with a literal, so that other bytes are skipped quickly.
_X = rb"[0-9a-fA-F]"
_BACKSLASH = (
    rb"\\\\*+(?:u[X]{4}|u\{[X]{1,8}\}|U[X]{8}|x[X]{2}|[0-3]?[0-7]{1,2}|[\"'/nrtbf])?+"
).replace(b"[X]", _X)
r"""``\u0073``, ``\U00000073``, ``\x73``, ``\163``, ``\55``, ``\n``"""
_PERCENT = rb"%[X][X]|%u[X]{4}".replace(b"[X]", _X)
_CHAIN = rb"%(?:25(?=[X]{2}))*+[X]{2}|%u[X]{4}".replace(b"[X]", _X)
"""``%2573``, which is ``%73`` after the first pass"""
_ENTITY = rb"&(?:\#0*+[0-9]{1,8}|\#[xX]0*+[X]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?+".replace(
    b"[X]", _X
)


def _escapes(*kinds: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(" + b"|".join(kinds) + b")")


_ANY = _escapes(_BACKSLASH, _PERCENT, _ENTITY)
_ANY_CHAINED = _escapes(_BACKSLASH, _CHAIN, _ENTITY)
_ONE_KIND = (_escapes(_BACKSLASH), _escapes(_PERCENT), _escapes(_ENTITY))

_STYLED = re.compile(
    rb"(\xc2[\xaa-\xbe]|\xc5\xbf|\xc7[\x80-\xbf]|[\xca\xcb][\x80-\xbf]|\xe1[\xb4-\xb6\xba][\x80-\xbf]"
    rb"|\xe2[\x81\x82\x84-\x86\x91-\x93\xb1][\x80-\xbf]|\xe3[\x89-\x8f][\x80-\xbf]"
    rb"|\xef(?:\xac[\x80-\xbf]|[\xbc\xbd][\x80-\xbf])"
    rb"|\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xf0\x9f[\x84-\x86\xaf][\x80-\xbf]"
    rb"|\xed\xa0[\xb5\xbc]\xed[\xb0-\xbf][\x80-\xbf])"
)
"""Characters in UTF-8 that can be compatible with ASCII, and few others: superscripts, letterlike
symbols, digits and letters in circles, squared units, full width, mathematical letters; the latter
also as the two halves that JSON writes."""

_LOW_HALF = re.compile(rb"\xed[\xb0-\xbf][\x80-\xbf]")
"""The second half of a character, which belongs to the first."""

_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

Edit = tuple[int, int, int]
"""Start and end in the parent, and the number of bytes that the view has in their place."""

Edits = Callable[[], Iterable[Edit]]


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end`` of a view, and what replaces them.

    If the span turns out to be several pieces, ``rest`` replaces all but the first.
    """

    start: int
    end: int
    mark: bytes
    rest: bytes = b""


@dataclass(frozen=True, slots=True)
class View:
    """Bytes that were made from the bytes of ``parent``.

    Attributes:
        data: the bytes.
        parent: what they were made from; None for the body itself.
        edits: returns what was changed, in ascending order.
        is_joined: whether only whole pieces were left out, so that a span of the view is several
            pieces of the parent. Otherwise it is one.
    """

    data: bytes
    parent: View | None = None
    edits: Edits = tuple
    is_joined: bool = False

    @property
    def body(self) -> bytes:
        """The bytes of the body that this view was made from in the end."""
        return self.parent.body if self.parent is not None else self.data

    def in_body(self, spans: Iterable[Span]) -> list[Span]:
        """Translate spans of this view to spans of the body, merged and in ascending order."""
        view, found = self, merged(spans)
        while view.parent is not None and found:
            back = _pieces if view.is_joined else _sources
            found = merged(back(found, view.edits, len(view.parent.data)))
            view = view.parent
        return found


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sort spans and unite those that overlap; the first one's replacement counts."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if united and span.start < united[-1].end:
            united[-1] = replace(united[-1], end=max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def decoded_views(body: View, *, apart: bool = False) -> Iterator[View]:
    """Yield the body with one level of escapes removed, with two levels, and so on.

    Args:
        body: the body, or a view of it.
        apart: whether one kind of escapes is also removed after the other. A secret that contains
            ``%`` needs this, as it can look like an escape once its JSON is decoded.

    The view without any escapes comes last.
    """
    if apart:
        for kind, other in permutations(_ONE_KIND, 2):
            for view in _chain(body, [kind] * KINDS_APART):
                yield view
                yield from _chain(view, [other] * KINDS_APART)
    if b"\\\\" in body.data:
        yield from _chain(body, [_ANY] * PASSES, is_greedy=True)
    single = [_ANY] * SINGLE_PASSES
    yield from _chain(body, single + [_ANY_CHAINED] * (PASSES - SINGLE_PASSES))


def _chain(
    view: View, escapes: Iterable[re.Pattern[bytes]], *, is_greedy: bool = False
) -> Iterator[View]:
    """Yield views, each with one level less than the one before.

    A greedy one removes any number of backslashes at once, as an endpoint need not write the
    number that JSON within JSON has.
    """
    for escape in escapes:
        after = _decoded(view, escape, LONGEST_RUN if not is_greedy else 0)
        if after is None:
            return
        view = after
        yield view


def plain_letters(view: View) -> View | None:
    """Replace letters in another style by those of ASCII: ``ｓ``, ``𝐬`` and ``ⓢ`` by ``s``.

    None if there are none. Source: Unicode Standard Annex 15, compatibility equivalence (NFKC).
    """
    return None if view.data.isascii() else _replaced(view, _STYLED, _Plain())


def _decoded(view: View, escape: re.Pattern[bytes], longest: int) -> View | None:
    """Remove one level of escapes; None if there is none."""
    data = view.data
    if b"\\" not in data and b"%" not in data and b"&" not in data:
        return None
    return _replaced(view, escape, _Tokens(longest))


def _replaced(view: View, escape: re.Pattern[bytes], table: dict[bytes, bytes]) -> View | None:
    """Replace all tokens by what a table has for them; None if that changes nothing."""
    data = view.data
    plain = b"".join(_parts(data, escape, table))
    if plain == data:
        return None

    def edits() -> Iterator[Edit]:
        for found in escape.finditer(data):
            start, end = found.span()
            yield start, end, len(table[found[0]])

    return View(plain, view, edits)


def _parts(data: bytes, escape: re.Pattern[bytes], table: dict[bytes, bytes]) -> Iterator[bytes]:
    """Decode a chunk at a time, because the parts of a chunk take much more memory than itself."""
    start = 0
    while start < len(data):
        end = _end_of_chunk(data, start, escape)
        parts = escape.split(data[start:end])
        # Every second part is an escape.
        parts[1::2] = map(table.__getitem__, parts[1::2])
        yield b"".join(parts)
        start = end


def _end_of_chunk(data: bytes, start: int, escape: re.Pattern[bytes]) -> int:
    """Return an offset, about :data:`CHUNK` after ``start``, that is not within an escape."""
    end = start + CHUNK
    if end >= len(data):
        return len(data)
    last = max(data.rfind(mark, start + 1, end) for mark in (b"\\", b"%", b"&"))
    if last > start and data[last] == ord("\\"):
        # All backslashes of a run belong to one escape.
        last = start + len(data[start:last].rstrip(b"\\"))
    if last > start:
        return last
    found = escape.match(data, start)
    end = max(end, found.end()) if found else end
    for _ in range(3):
        # Not within a character of UTF-8, which has at most three more bytes.
        if end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
    return end + 3 if _LOW_HALF.match(data, end) else end


class _Tokens(dict[bytes, bytes]):
    """The bytes that an escape stands for, filled on first use.

    Args:
        longest: backslashes in a row that are halved; a longer run is removed at once.
    """

    def __init__(self, longest: int) -> None:
        super().__init__()
        self._longest = longest

    def __missing__(self, token: bytes) -> bytes:
        if len(self) >= MOST_TOKENS:
            self.clear()
        plain = self[token] = _plain(token, self._longest)
        return plain


class _Plain(dict[bytes, bytes]):
    """The ASCII that a character of another style stands for, or itself, filled on first use."""

    def __missing__(self, token: bytes) -> bytes:
        character = token.decode("utf-8", "surrogatepass")
        whole = character.encode("utf-16", "surrogatepass").decode("utf-16")
        plain = unicodedata.normalize("NFKC", whole)
        self[token] = plain.encode() if plain.isascii() else token
        return self[token]


def _plain(token: bytes, longest: int) -> bytes:
    match token[:1]:
        case b"\\":
            return _without_backslashes(token, longest)
        case b"%":
            *_, digits = token.rpartition(b"u")
            is_unicode = len(digits) < len(token)
            return _character(int(digits, 16)) if is_unicode else bytes([int(token[-2:], 16)])
    name = token.rstrip(b";")
    if name[:3] in {b"&#x", b"&#X"}:
        return _character(int(name[3:], 16)) or token
    if name[:2] == b"&#":
        return _character(int(name[2:])) or token
    return html.unescape(token.decode("ascii")).encode()


def _without_backslashes(token: bytes, longest: int) -> bytes:
    r"""Remove one level of backslashes; an even number of them leaves the escape as text."""
    escape = token.lstrip(b"\\")
    run = len(token) - len(escape)
    kept = b"" if run > longest else b"\\" * (run // 2)
    if run % 2 == 0 and run <= longest:
        return kept + escape
    if not escape:
        return kept or b"\\"
    match escape[:1]:
        case b"u" | b"U" | b"x" if len(escape) > 1:
            return kept + _character(int(escape[1:].strip(b"{}"), 16))
        case digit if digit.isdigit():
            return kept + bytes([int(escape, 8)])
    return kept + _CONTROLS.get(escape, escape)


def _character(code: int) -> bytes:
    """Encode a code point as UTF-8, half a surrogate pair too; empty if there is none such."""
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else b""


class Alphabet:
    """The bytes that a squeezed view keeps; all others are left out."""

    def __init__(self, kept: bytes) -> None:
        self._left_out = bytes(code for code in range(256) if code not in kept)
        self._gap = re.compile(b"[%s]++" % re.escape(self._left_out))

    def squeeze(self, data: bytes) -> bytes:
        """Return the bytes that are kept."""
        return data.translate(None, self._left_out)

    def view(self, parent: View) -> View:
        """Return the squeezed view of another view."""

        def edits() -> Iterator[Edit]:
            return ((*gap.span(), 0) for gap in self._gap.finditer(parent.data))

        return View(self.squeeze(parent.data), parent, edits, is_joined=True)


def joined(parent: View, pieces: Iterable[tuple[int, int]]) -> View:
    """Return the view that consists of pieces of another view, in ascending order."""

    def edits() -> Iterator[Edit]:
        before = 0
        for start, end in pieces:
            yield before, start, 0
            before = end
        yield before, len(parent.data), 0

    data = b"".join([parent.data[start:end] for start, end in pieces])
    return View(data, parent, edits, is_joined=True)


def _sources(spans: Sequence[Span], edits: Edits, size: int) -> Iterator[Span]:
    """Translate disjoint spans to the parent; an escape that a span touches belongs to it."""
    starts = _offsets([span.start for span in spans], edits(), is_end=False)
    ends = _offsets([span.end for span in spans], edits(), is_end=True)
    for span, start, end in zip(spans, starts, ends, strict=True):
        yield replace(span, start=start, end=min(end, size))


def _offsets(offsets: Sequence[int], edits: Iterable[Edit], *, is_end: bool) -> Iterator[int]:
    """Translate ascending offsets to the parent."""
    waiting = iter(offsets)
    offset = next(waiting, None)
    shift = 0
    for start, end, length in edits:
        first = start - shift
        # The end of a span may be the start of an edit, which is then not part of the span.
        while offset is not None and (offset <= first if is_end else offset < first):
            yield offset + shift
            offset = next(waiting, None)
        while offset is not None and offset < first + length + is_end:
            yield end if is_end else start
            offset = next(waiting, None)
        if offset is None:
            return
        shift += end - start - length
    while offset is not None:
        yield offset + shift
        offset = next(waiting, None)


def _pieces(spans: Sequence[Span], edits: Edits, size: int) -> Iterator[Span]:
    """Translate disjoint spans to the parent, each to as many pieces as it was joined from."""
    waiting = iter(spans)
    span = next(waiting, None)
    is_first = True
    before = shown = 0
    for start, end, _ in chain(edits(), [(size, size, 0)]):
        until = shown + start - before
        while span is not None and span.start < until:
            piece = max(span.start, shown), min(span.end, until)
            here, there = (offset - shown + before for offset in piece)
            yield replace(span, start=here, end=there, mark=span.mark if is_first else span.rest)
            is_first = span.end <= until
            if not is_first:
                break
            span = next(waiting, None)
        if span is None:
            return
        before, shown = end, until
