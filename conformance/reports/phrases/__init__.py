"""The Chinese of what checks say: a run records its English alone, so old runs are told too.

    in_chinese("budget spent: 5 requests were allowed")     # 预算已用完：只允许 5 个请求

The YAML files beside this one pair English patterns with Chinese ones. What varies is a slot:

=========  ==================================================================================
``{x}``    evidence, or whatever else is never translated: it stays as it was recorded
``{x=}``   evidence as JSON has it, or in quotes as Python has a text
``{x#}``   a number
``{x@}``   a name without blanks: of a check, a contract, a place in an answer
``{x!}``   words of the suite that the catalogue knows, or such a name
``{x?}``   words of the suite where the catalogue knows them, else evidence
``{x*}``   several of these, separated by commas
=========  ==================================================================================

Messages hold what an endpoint sent. So a pattern is a row of literals that are looked for from left
to right, once each, and never a regular expression that hostile text could keep busy.
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

LONGEST = 2000
"""Characters of a message that is looked up; a check's own are shorter."""

DEEPEST = 4
"""How many patterns may stand within each other: around a finding, its words, a name in them."""

SLOT = re.compile(r"\{(\w+)([=#@?!*]?)\}")
NUMBER = re.compile(r"[-+.,e]*[0-9][-+0-9.,e]*")
QUOTES = {'"': '"', "'": "'", "[": "]", "{": "}"}
"""How evidence ends that begins so; what was cut ends with an ellipsis."""

WORDS = frozenset({"true", "false", "null", "None"})
NAME = re.compile(r"[\w.\[\]-]+", re.ASCII)

FIRST = "around.yaml"
"""Patterns that hold a whole message; one that fits its beginning would swallow what is around."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One English pattern, cut at its slots, beside the Chinese one.

    ``literals`` are one more than the ``slots``, which pair a name with a kind.
    """

    literals: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]
    chinese: tuple[str, ...]
    order: tuple[str, ...]  # the names of the slots as the Chinese has them

    def values_in(self, message: str) -> Sequence[str] | None:
        """Return what stands in the slots of a message, or None if the pattern does not fit."""
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
    """Say in Chinese what a check said in English; None where nobody has translated it.

    Args:
        message: a reason, what was expected, or what was seen, as a run has recorded it.
    """
    return _translated(message, DEEPEST) if len(message) <= LONGEST else None


@lru_cache(maxsize=4096)
def _translated(message: str, depth: int) -> str | None:
    plain, patterns = catalogue()
    if message in plain or not depth:
        return plain.get(message)
    spoken = (_spoken(phrase, message, depth - 1) for phrase in patterns)
    return next((text for text in spoken if text is not None), None)


def _spoken(phrase: Phrase, message: str, depth: int) -> str | None:
    """Speak a message by one pattern, or return None if that does not fit."""
    values = phrase.values_in(message)
    if values is None:
        return None
    told: dict[str, str] = {}
    for (name, kind), value in zip(phrase.slots, values, strict=True):
        words = KINDS[kind](value, depth)
        if words is None:
            return None
        told[name] = words
    return _filled(phrase, told)


def _filled(phrase: Phrase, told: Mapping[str, str]) -> str:
    """Put values into the Chinese, which alone is changed where a blank is missing or too many."""
    values = [told[name] for name in phrase.order]
    pieces = zip(phrase.chinese, ["", *values], [*values, ""], strict=True)
    set_between = [_behind(_before(piece, right), left) for piece, left, right in pieces]
    return "".join(chain.from_iterable(zip(set_between, [*values, ""], strict=True)))


def _before(piece: str, value: str) -> str:
    """Set a piece of Chinese before a value: a blank parts Chinese from Latin, nothing else."""
    if piece.endswith(" ") and _is_chinese(piece[-2:-1]) and _is_chinese(value[:1]):
        return piece[:-1]
    return f"{piece} " if _part(piece[-1:], value[:1]) else piece


def _behind(piece: str, value: str) -> str:
    """Set a piece of Chinese behind a value."""
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
"""What may stand in a slot, and what becomes of it; None if it may not."""


@cache
def catalogue() -> tuple[Mapping[str, str], tuple[Phrase, ...]]:
    """Read all phrases: those without slots by their English, and the others in the order of trial.

    What begins with more words of its own comes first, and then what has more of them: of two that
    fit the more particular one speaks.

    Raises:
        ValueError: a phrase is given twice, or its two patterns have different slots.
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
    """Read a pair of patterns.

    Raises:
        ValueError: they have different slots.
    """
    literals, names, kinds = _cut(english)
    pieces, order, _ = _cut(chinese)
    if sorted(names) != sorted(order):
        raise ValueError(f"{english!r} and {chinese!r} have different slots")
    return Phrase(literals, tuple(zip(names, kinds, strict=True)), pieces, order)


def _cut(pattern: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Cut a pattern into its literals, and the names and the kinds of its slots."""
    parts = SLOT.split(pattern)
    return tuple(parts[::3]), tuple(parts[1::3]), tuple(parts[2::3])
