"""Chinese translations of recorded messages, which are English only.

    in_chinese("budget spent: 5 requests were allowed")     # 预算已用完：只允许 5 个请求

The YAML files in this folder pair English patterns with Chinese ones. Variable parts are slots:

=========  ==================================================================================
``{x}``    evidence or other text that is never translated
``{x=}``   evidence as JSON or as a quoted Python string
``{x#}``   a number
``{x@}``   a name without blanks: of a check, a contract, a path in a response
``{x!}``   a phrase of the catalogue, or such a name
``{x?}``   a phrase of the catalogue if it is known, otherwise evidence
``{x*}``   several of these, separated by commas
=========  ==================================================================================

Messages contain untrusted text, so a pattern is a sequence of literals searched from left to right
and not a regular expression, which could take exponential time.

Phrases of older versions stay in the catalogue, so that older records are translated too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any

import yaml

__all__ = ["in_chinese"]

_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_MESSAGE_CHARS = 2000
"""Maximum characters of a message that is translated."""

DEEPEST = 6
"""Maximum nesting of patterns."""

SLOT = re.compile(r"\{(\w+)([=#@?!*]?)\}")
NUMBER = re.compile(r"[-+.,e]*[0-9][-+0-9.,e]*")
QUOTES = {'"': '"', "'": "'", "[": "]", "{": "}"}
"""Closing characters of evidence; truncated evidence ends with an ellipsis."""

WORDS = frozenset({"true", "false", "null", "None"})
NAME = re.compile(r"[\w.\[\]-]+", re.ASCII)

FIRST = "around.yaml"
"""Patterns around another message; they are tried before patterns for the inner part."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English pattern split at its slots, and the Chinese one.

    ``slots`` are pairs of name and kind; there is one more literal than slots.
    """

    literals: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]
    chinese: tuple[str, ...]
    order: tuple[str, ...]  # names of the slots in the Chinese pattern

    def values_in(self, message: str) -> Sequence[str] | None:
        """Return the values of the slots, or None if the message does not match."""
        first, last = self.literals[0], self.literals[-1]
        end = len(message) - len(last)
        if end < len(first) or not (message.startswith(first) and message.endswith(last)):
            return None
        values, at = list[str](), len(first)
        for literal in self.literals[1:-1]:
            found = message.find(literal, at, end)
            if found < 0:
                return None
            values.append(message[at:found])
            at = found + len(literal)
        return [*values, message[at:end]]


def in_chinese(message: str) -> str | None:
    """Translate a recorded message; None if there is no translation.

    Args:
        message: a reason, an expected or an actual value from a record.
    """
    return _translated(message, DEEPEST) if len(message) <= MAX_MESSAGE_CHARS else None


@lru_cache(maxsize=4096)
def _translated(message: str, depth: int) -> str | None:
    plain, patterns = catalogue()
    if message in plain or not depth:
        return plain.get(message)
    spoken = (_spoken(phrase, message, depth - 1) for phrase in patterns)
    return next((text for text in spoken if text is not None), None)


def _spoken(phrase: Phrase, message: str, depth: int) -> str | None:
    """Translate a message with one pattern; None if it does not match."""
    values = phrase.values_in(message)
    if values is None:
        return None
    result: dict[str, str] = {}
    for (name, kind), value in zip(phrase.slots, values, strict=True):
        words = KINDS[kind](value, depth)
        if words is None:
            return None
        result[name] = words
    return _filled(phrase, result)


def _filled(phrase: Phrase, result: Mapping[str, str]) -> str:
    """Fill the Chinese pattern and adjust blanks between Chinese and Latin text."""
    values = [result[name] for name in phrase.order]
    pieces = zip(phrase.chinese, ["", *values], [*values, ""], strict=True)
    set_between = [_behind(_before(piece, right), left) for piece, left, right in pieces]
    return "".join(chain.from_iterable(zip(set_between, [*values, ""], strict=True)))


def _before(piece: str, value: str) -> str:
    """Adjust the end of a Chinese piece: a blank separates Chinese from Latin only."""
    if piece.endswith(" ") and _is_chinese(piece[-2:-1]) and _is_chinese(value[:1]):
        return piece[:-1]
    return f"{piece} " if _part(piece[-1:], value[:1]) else piece


def _behind(piece: str, value: str) -> str:
    """Adjust the beginning of a Chinese piece."""
    return _before(piece[::-1], value[::-1])[::-1]


def _part(left: str, right: str) -> bool:
    return (_is_chinese(left) and _is_latin(right)) or (_is_latin(left) and _is_chinese(right))


def _is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _as_it_is(value: str, _: int) -> str | None:
    return value


def _quoted(value: str, _: int) -> str | None:
    whole = value[:1] in QUOTES and value[-1] in (QUOTES[value[0]], "…")
    return value if whole or value in WORDS or NUMBER.fullmatch(value) else None


def _number(value: str, _: int) -> str | None:
    return value if NUMBER.fullmatch(value) else None


def _name(value: str, _: int) -> str | None:
    return value if NAME.fullmatch(value) else None


def _words(value: str, depth: int) -> str | None:
    return _translated(value, depth) or _name(value, depth)


def _known_or_not(value: str, depth: int) -> str | None:
    return _translated(value, depth) or value


def _each_known_or_not(value: str, depth: int) -> str | None:
    return "、".join(_known_or_not(part, depth) or part for part in value.split(", "))


KINDS: Mapping[str, Callable[[str, int], str | None]] = {
    "": _as_it_is,
    "=": _quoted,
    "#": _number,
    "@": _name,
    "!": _words,
    "?": _known_or_not,
    "*": _each_known_or_not,
}
"""Functions per kind of slot: the translated value, or None if it does not fit."""


@cache
def catalogue() -> tuple[Mapping[str, str], tuple[Phrase, ...]]:
    """Read all phrases: those without slots by their English, the others in order of matching.

    Patterns with longer literals come first, so that the more specific pattern wins.

    Raises:
        ValueError: two translations of one phrase, or different slots in its two patterns.
    """
    plain: dict[str, str] = {}
    around, others = list[Phrase](), list[Phrase]()
    for file, english, chinese in _entries():
        phrase = phrase_of(english, chinese)
        if phrase.slots:
            (around if file == FIRST else others).append(phrase)
        elif plain.setdefault(english, chinese) != chinese:
            raise ValueError(f"two translations of {english!r}")
    ordered = (sorted(phrases, key=_particular, reverse=True) for phrases in (around, others))
    return plain, tuple(chain.from_iterable(ordered))


def _particular(phrase: Phrase) -> tuple[int, int]:
    return len(phrase.literals[0]), sum(map(len, phrase.literals))


def _entries() -> Iterator[tuple[str, str, str]]:
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            text = file.read_text(encoding="utf-8")
            rows: list[dict[str, Any]] = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe
            yield from ((file.name, row["en"], row["zh"]) for row in rows)


def phrase_of(english: str, chinese: str) -> Phrase:
    """Parse a pair of patterns.

    Raises:
        ValueError: they have different slots.
    """
    literals, names, kinds = _cut(english)
    pieces, order, _ = _cut(chinese)
    if sorted(names) != sorted(order):
        raise ValueError(f"{english!r} and {chinese!r} have different slots")
    return Phrase(literals, tuple(zip(names, kinds, strict=True)), pieces, order)


def _cut(pattern: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Split a pattern into literals, slot names and slot kinds."""
    parts = SLOT.split(pattern)
    return tuple(parts[::3]), tuple(parts[1::3]), tuple(parts[2::3])
