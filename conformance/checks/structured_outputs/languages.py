"""The sets of texts that a completion has to be one of; pure.

All but one are finite, so that also the beginning of a text can be judged, and so small that no
model writes one of their texts by chance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any, Protocol

JsonValues = Mapping[str, tuple[Any, ...]]
"""The members of an object, each with the values it may have."""

_OUTSIDE_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\\?$))|\s+', re.DOTALL)
"""A string, which may be cut off, or whitespace between tokens of JSON."""


class Language(Protocol):
    """A set of texts."""

    @property
    def example(self) -> str:
        """One of them, for readers."""
        ...

    def allows(self, text: str) -> bool:
        """Return whether a whole text is one of them."""
        ...

    def begins(self, text: str) -> bool:
        """Return whether one of them begins with this text."""
        ...


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts, letter by letter."""

    texts: frozenset[str]

    @property
    def example(self) -> str:
        """The first of them."""
        return min(self.texts)

    def allows(self, text: str) -> bool:
        """Return whether a whole text is one of them."""
        return text in self.texts

    def begins(self, text: str) -> bool:
        """Return whether one of them begins with this text."""
        return any(one.startswith(text) for one in self.texts)


@dataclass(frozen=True, slots=True)
class JsonObjects:
    """JSON objects with exactly these members, in any order and any layout."""

    members: JsonValues

    @property
    def example(self) -> str:
        """The object with the first value of each member."""
        return json.dumps(next(iter(self._objects())), ensure_ascii=False)

    def allows(self, text: str) -> bool:
        """Return whether a whole text is one of them."""
        value = parsed(text)
        return isinstance(value, dict) and _written(value) in map(_written, self._objects())

    def begins(self, text: str) -> bool:
        """Return whether one of them begins with this text.

        What follows an escape is not judged: a server may escape any character.
        """
        start, _, _ = compact(text).partition("\\")
        return any(one.startswith(start) for one in self._compact_texts())

    def _objects(self) -> Iterable[dict[str, Any]]:
        for values in product(*self.members.values()):
            yield dict(zip(self.members, values, strict=True))

    def _compact_texts(self) -> Iterable[str]:
        for value in self._objects():
            for order in permutations(value.items()):
                yield json.dumps(dict(order), separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class AnyObject:
    """JSON objects of any content."""

    @property
    def example(self) -> str:
        """The least of them."""
        return "{}"

    def allows(self, text: str) -> bool:
        """Return whether a whole text is a JSON object."""
        return isinstance(parsed(text), dict)

    def begins(self, text: str) -> bool:
        """Return whether a JSON object may begin with this text, by its first character."""
        return text.lstrip()[:1] in ("", "{")


def texts(*parts: Iterable[str]) -> Texts:
    """Return all texts with one piece of each part, in this order."""
    return Texts(frozenset("".join(pieces) for pieces in product(*parts)))


def compact(text: str) -> str:
    """Return JSON, or the beginning of it, without whitespace between its tokens."""
    return _OUTSIDE_STRINGS.sub(lambda found: found[1] or "", text)


def parsed(text: str) -> Any:
    """Return the value of a JSON text; None if it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _written(value: dict[str, Any]) -> str:
    """Return one form of an object, in which true is not 1."""
    return json.dumps(value, sort_keys=True)
