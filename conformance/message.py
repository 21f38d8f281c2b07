"""Messages for readers: the English sentence, and the data that it was made from.

    say("{count} choices, {promised} promised", count=1, promised=3)

The first argument is the message id of the gettext catalogues in :mod:`conformance.locale`; the
others fill its placeholders. A message is a ``str``, the English sentence, so that whatever prints
strings prints it. What is cut from it or joined to it is a plain string without a translation.

What an argument is decides what becomes of it in another language:

===========================  =====================================================================
:class:`Message`             a phrase, which is translated
``str``                      evidence or a name, which never is: text of the endpoint, an id, JSON
``int``, ``float``, None      a number, or that there is none
a tuple of these             a list, joined with the comma of the language
===========================  =====================================================================

Text of an endpoint is only ever in arguments. Templates know nothing but plain names in braces, and
each name once, so text cannot break the formatting and a message is about as long as its arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self, TypeVar

__all__ = [
    "NOTHING",
    "Argument",
    "Message",
    "Named",
    "Scalar",
    "as_message",
    "bounded",
    "fill",
    "say",
    "split",
    "verbatim",
]

Scalar = str | int | float | None
Argument = Scalar | tuple[Scalar, ...]
T = TypeVar("T")

MAX_FINDING_CHARS = 1_000
"""Maximum characters of each text of a finding; those of ordinary runs have a third of it."""

MAX_LISTED = 8
"""Arguments of a list that remain where a message is cut."""

MAX_INTEGER = 2**63 - 1

VERBATIM = "{text}"
"""The template of a message that is nothing but evidence."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z]\w*)\}|[{}]", re.ASCII)
_NO_ARGUMENTS: Mapping[str, Argument] = MappingProxyType({})


class Message(str):
    """A sentence or a phrase in English that can be translated.

    Attributes:
        template: the message id: English, with names in braces; a brace itself is doubled.
        arguments: the value of each placeholder.

    Raises:
        ValueError: the template is malformed, or does not have the names of the arguments, each
            once.
    """

    __slots__ = ("arguments", "template")

    template: str
    arguments: Mapping[str, Argument]

    def __new__(cls, template: str, arguments: Mapping[str, Argument] = _NO_ARGUMENTS) -> Self:
        """Fill the template."""
        names = split(template)[1]
        if len(names) != len(arguments) or set(names) != arguments.keys():
            raise ValueError(
                f"{template!r} has the placeholders {sorted(names)}, not {sorted(arguments)}"
            )
        values = {name: _plain(value) for name, value in arguments.items()}
        english = fill(template, {name: _english(value) for name, value in values.items()})
        result = super().__new__(cls, english)
        result.template = template
        result.arguments = MappingProxyType(values)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.template, dict(self.arguments))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    @property
    def is_evidence(self) -> bool:
        """Whether it has no words of its own."""
        return self.template == VERBATIM

    def mapped(self, change: Callable[[str], str]) -> Message:
        """Apply a change to all evidence in it, such as the redaction of a secret."""
        return Message(self.template, {k: _mapped(v, change) for k, v in self.arguments.items()})

    def argument(self, name: str) -> Message | None:
        """Return an argument that is a message; None if there is none of this name."""
        found = self.arguments.get(name)
        return found if isinstance(found, Message) else None


def say(template: str, /, **arguments: Argument) -> Message:
    """Make a message from its id and the values of its placeholders.

    Args:
        template: a literal, so that it is found when the catalogues are made.
        arguments: by the names of the placeholders.

    Raises:
        ValueError: placeholders and arguments do not agree.
    """
    return Message(template, arguments)


def verbatim(text: Scalar) -> Message:
    """Make a message of evidence only, which is the same in every language."""
    return text if isinstance(text, Message) else Message(VERBATIM, {"text": text})


def as_message(text: str) -> Message:
    """Make a message of a sentence without data, such as that of an older record or of a plugin."""
    if isinstance(text, Message):
        return text
    return Message(text.replace("{", "{{").replace("}", "}}"))


def split(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a template into literals and the names between them; there is one more literal.

    Raises:
        ValueError: a brace is neither doubled nor around a plain name, or a name occurs twice.
    """
    # Those of a record may be long, and are not kept.
    return _split(template) if len(template) <= MAX_FINDING_CHARS else _split_anew(template)


def _split_anew(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    literals, names, at = [""], list[str](), 0
    for found in _TOKEN.finditer(template):
        literals[-1] += template[at : found.start()]
        at = found.end()
        if found[1] is not None:
            names.append(found[1])
            literals.append("")
        elif len(found[0]) == 2:
            literals[-1] += found[0][0]
        else:
            raise ValueError(f"a single brace in {template[:200]!r}")
    literals[-1] += template[at:]
    if len(set(names)) < len(names):
        raise ValueError(f"a placeholder occurs twice in {template[:200]!r}")
    return tuple(literals), tuple(names)


_split = lru_cache(maxsize=4096)(_split_anew)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put texts in the places of a template.

    Raises:
        KeyError: a placeholder has no value.
        ValueError: the template is malformed.
    """
    literals, names = split(template)
    pieces = [literals[0]]
    for name, literal in zip(names, literals[1:], strict=True):
        pieces += (values[name], literal)
    return "".join(pieces)


def bounded(message: Message, most: int = MAX_FINDING_CHARS) -> Message:
    """Cut the evidence in a message to what a finding may hold: a few kilobytes as JSON.

    The sentence around the evidence stays whole.
    """
    limit = most
    while _is_long(message, most) and limit > 8:
        message = Message(
            message.template, {k: _cut(v, limit) for k, v in message.arguments.items()}
        )
        limit //= 2
    return message if not _is_long(message, most) else verbatim(cut_text(message, most // 4))


def cut_text(text: str, limit: int) -> str:
    """Cut a text to a number of characters, the last one an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _is_long(text: str, most: int) -> bool:
    # JSON writes a control character with six characters, and a page shows it with as many.
    return len(text) > most or len(text) + 5 * sum(c < " " for c in text) > 2 * most


def _cut(value: Argument, limit: int) -> Argument:
    if isinstance(value, tuple) and len(value) > MAX_LISTED:
        value = (*value[:MAX_LISTED], "…")
    return _mapped(value, lambda text: cut_text(text, limit))


def _mapped(value: Argument, change: Callable[[str], str]) -> Argument:
    match value:
        case Message():
            return value.mapped(change)
        case str():
            return change(value)
        case tuple():
            return tuple(_mapped_scalar(inner, change) for inner in value)
        case _:
            return value


def _mapped_scalar(value: Scalar, change: Callable[[str], str]) -> Scalar:
    if isinstance(value, Message):
        return value.mapped(change)
    return change(value) if isinstance(value, str) else value


def _plain(value: Argument) -> Argument:
    """Return an argument as the record can hold it; evidence needs no message around it."""
    if isinstance(value, tuple):
        return tuple(_plain_scalar(inner) for inner in value)
    return _plain_scalar(value)


def _plain_scalar(value: Scalar) -> Scalar:
    match value:
        case Message():
            inner = value.arguments["text"] if value.is_evidence else value
            return inner if isinstance(inner, str) else value
        case str():
            return str.__str__(value)
        case None | bool():
            return str(value)
        case int():
            return int(value) if abs(value) <= MAX_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
    raise TypeError(f"{type(value).__name__} is no argument of a message")


def _english(value: Argument) -> str:
    return ", ".join(map(_text, value)) if isinstance(value, tuple) else _text(value)


def _text(value: Scalar) -> str:
    # Not str(): that of an enumeration is what it says, and a message stays itself.
    return str.__str__(value) if isinstance(value, str) else str(value)


class Named(Enum):
    """Members whose values are messages, which only name them for readers."""

    @property
    def said(self) -> Message:
        """The name for readers."""
        value: Message = self.value
        return value


NOTHING = Message("")
"""The message of what needs none."""
