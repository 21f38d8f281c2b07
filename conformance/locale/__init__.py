"""Translations of messages, from gettext catalogues.

    in_chinese(say("budget spent: {limit} requests were allowed", limit=5))
    # 预算已用完：只允许 5 个请求

``zh/LC_MESSAGES/messages.po`` has the Chinese sentences, and ``messages.mo`` beside it is compiled
from it; ``python -m tests.messages`` keeps both up to date.
"""

from __future__ import annotations

import gettext
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, zip_longest

from conformance.message import MAX_FINDING_CHARS, VERBATIM, Argument, Message, as_message, split

__all__ = ["in_chinese", "set_between"]

_COMMA = "、"


def in_chinese(text: str) -> str | None:
    """Translate a message; None if the catalogue does not have it.

    Args:
        text: a message. A plain string, as older records have it, is translated if it is a whole
            sentence of the catalogue.
    """
    return _translated(as_message(text))


def _translated(message: Message) -> str | None:
    if len(message.template) > MAX_FINDING_CHARS:
        return None
    pattern = _pattern(message.template)
    if pattern is None:
        return None
    literals, names = pattern
    return set_between(literals, tuple(_argument(message.arguments[name]) for name in names))


@lru_cache(maxsize=4096)
def _pattern(template: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the Chinese pattern of a message id, split; None if there is none.

    The id may come from a record: only a pattern with the same placeholders is used.
    """
    if template == VERBATIM:
        return split(VERBATIM)
    chinese = _catalogue().gettext(template) if template else ""
    if not chinese:
        return None
    pattern = split(chinese)
    return pattern if sorted(pattern[1]) == sorted(split(template)[1]) else None


def _argument(value: Argument) -> str:
    if isinstance(value, tuple):
        return _COMMA.join(map(_argument, value))
    if isinstance(value, Message):
        return _translated(value) or value
    return str(value)


@cache
def _catalogue() -> gettext.NullTranslations:
    with files(__name__).joinpath("zh", "LC_MESSAGES", "messages.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    catalogue.add_fallback(_Unknown())
    return catalogue


class _Unknown(gettext.NullTranslations):
    """Translates nothing, which is told from a translation that is the same."""

    def gettext(self, message: str) -> str:
        del message
        return ""


def set_between(pieces: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Join Chinese pieces with the values between them, with blanks only where they belong."""
    result = ""
    for part in chain.from_iterable(zip_longest(pieces, values, fillvalue="")):
        result = _joined(result, part) if part else result
    return result


def _joined(left: str, right: str) -> str:
    """Join two parts: a blank separates Chinese from Latin, and no Chinese from Chinese."""
    before, behind = left.rstrip(" "), right.lstrip(" ")
    if before and behind and len(left) + len(right) - len(before) - len(behind) == 1:
        if _is_chinese(before[-1]) and _is_chinese(behind[0]):
            return before + behind
    elif _part(left[-1:], right[:1]):
        return f"{left} {right}"
    return left + right


def _part(left: str, right: str) -> bool:
    return (_is_chinese(left) and _is_latin(right)) or (_is_latin(left) and _is_chinese(right))


def _is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
