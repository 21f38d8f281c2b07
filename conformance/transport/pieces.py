"""The texts that a reader of a body joins: grouped string literals of JSON, payloads of events.

A key that an endpoint sends two characters at a time stands nowhere in the body. It stands in what
checks and reports join: the texts of a stream's events, the tokens of a list, the names of an
object's members.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator

# Every alternative consumes all that it has looked at, so no byte is read a second time.
_TOKEN = re.compile(
    rb'"((?:[^"\\\r\n]++|\\.)*+)"?([ \t\r\n]*+:(?:[ \t\r\n]*+(-?[0-9]{1,9})(?![0-9.eE]))?)?+'
    rb"|[{}\[\]]|(?:\A|(?<=[\r\n]))data:"
)
_LITERAL = re.compile(rb'"((?:[^"\\\r\n]++|\\.)*+)"?+')
_OTHER_PAYLOAD = re.compile(rb"^data: ?(?!\[DONE\])[^\s{\[\"]", re.MULTILINE)
_PAYLOAD = re.compile(rb"^data: ?([^\r\n]*+)", re.MULTILINE)

DEEPEST = 1_000
"""Nesting below which places are no longer told apart."""

MOST_PLACES = 5_000
"""Maximum number of places, and of indexes, that are told apart."""

MOST_WAITING = 10_000
"""Maximum number of literals of an object that wait for its index."""

OUTER = 8
"""How many objects around a literal are asked for their index."""


class Pieces:
    """Start and end of each piece in the body, in ascending order; eight bytes a piece."""

    def __init__(self) -> None:
        self._packed = array("Q")

    def add(self, start: int, end: int) -> None:
        """Add a piece; :meth:`sort` if it is not the last of the body."""
        self._packed.append(start << 32 | end)

    def sort(self) -> None:
        """Put the pieces in the order of the body."""
        self._packed = array("Q", sorted(self._packed))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((packed >> 32, packed & 0xFFFF_FFFF) for packed in self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def groups_of(body: bytes) -> Iterator[Pieces]:
    """Yield the pieces that belong together; a piece can be in several groups.

    The literals of one place are a group for each ``index`` of the objects around them, and one
    for all. The places in a list are not told apart, nor are the events of a stream.
    """
    scanner = _Scanner(body)
    by_place: dict[int, list[Pieces]] = defaultdict(list)
    for (place, _), pieces in scanner.by_index.items():
        by_place[place].append(pieces)
    for place, all_of_them in scanner.by_place.items():
        parts = by_place[place]
        groups = [all_of_them] if len(parts) == 1 else [all_of_them, *parts]
        yield from (group for group in groups if len(group) > 1)
    payloads = Pieces()
    for found in _PAYLOAD.finditer(body):
        payloads.add(*found.span(1))
    if len(payloads) > 1:
        yield payloads


def texts_of(body: bytes) -> bytes | None:
    """Return all string literals; None if other texts can be joined as well. This is quick."""
    if _OTHER_PAYLOAD.search(body):
        return None
    texts = bytearray()
    # A list of millions of literals would take forty times the memory of the body.
    for literal in _LITERAL.finditer(body):
        texts += literal[1]
    return bytes(texts)


class _Object:
    """An object of JSON while it is read, and its literals, whose index may still follow."""

    __slots__ = ("index", "literals")

    def __init__(self) -> None:
        self.index: int | None = None
        self.literals: list[tuple[int, int, int, int]] = []


class _Scanner:
    """Reads string literals; it never fails: of other text, it reads what is between quotes.

    A place is the chain of member names around a literal, as a number: even for values, odd for
    names of members.
    """

    def __init__(self, body: bytes) -> None:
        self.by_place: dict[int, Pieces] = defaultdict(Pieces)
        self.by_index: dict[tuple[int, int | None], Pieces] = defaultdict(Pieces)
        self._places: dict[tuple[int, bytes], int] = {}
        self._objects = [_Object()]
        self._scan(body)
        self._close(0)
        for pieces in self.by_index.values():
            pieces.sort()

    def _scan(self, body: bytes) -> None:
        # What is around the current position: the place, and whether it is an object.
        around: list[tuple[int, bool]] = []
        ignored = place = 0
        for token in _TOKEN.finditer(body):
            kind = body[token.start()]
            if kind == _QUOTE:
                start, end = token.span(1)
                if token.end(2) < 0:
                    self._add(place, start, end)
                    continue
                outer = around[-1][0] if around else 0
                self._add(outer + 1, start, end)
                name = token[1]
                if token.end(3) >= 0 and name == b"index":
                    self._objects[-1].index = int(token[3])
                place = self._place(outer, name)
            elif kind in b"{[":
                if len(around) >= DEEPEST:
                    ignored += 1
                    continue
                around.append((place, kind == _BRACE))
                if kind == _BRACE:
                    self._objects.append(_Object())
            elif kind in b"]}":
                if ignored:
                    ignored -= 1
                elif around:
                    place, is_object = around.pop()
                    if is_object:
                        self._close(len(self._objects) - 1)
            else:
                # An event of a stream begins anew, whatever the one before it left open.
                self._close(1)
                around.clear()
                ignored = place = 0

    def _place(self, outer: int, name: bytes) -> int:
        if len(self._places) >= MOST_PLACES:
            return self._places.get((outer, name), outer)
        return self._places.setdefault((outer, name), 2 * len(self._places) + 2)

    def _add(self, place: int, start: int, end: int) -> None:
        if start < end:
            self.by_place[place].add(start, end)
            current = self._objects[-1]
            current.literals.append((place, start, end, 0))
            if len(current.literals) > MOST_WAITING:
                self._group(current)

    def _close(self, least: int) -> None:
        """Close objects until ``least`` are open; literals without an index go to the next one."""
        while len(self._objects) > least:
            closed = self._objects.pop()
            if closed.index is not None or not self._objects:
                self._group(closed)
                continue
            outer = self._objects[-1]
            for place, start, end, levels in closed.literals:
                if levels < OUTER:
                    outer.literals.append((place, start, end, levels + 1))
                else:
                    self.by_index[place, None].add(start, end)
            if len(outer.literals) > MOST_WAITING:
                self._group(outer)

    def _group(self, current: _Object) -> None:
        """Put the literals that wait for the index of an object into their groups."""
        index = None if len(self.by_index) >= MOST_PLACES else current.index
        for place, start, end, _ in current.literals:
            self.by_index[place, index].add(start, end)
        current.literals.clear()


_QUOTE, _BRACE = b'"{'
