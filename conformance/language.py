"""Texts in English and Chinese.

A sentence and its translation are defined together, so that neither is forgotten:

    FOUND = Text("{count} of {checks} found it", "{checks}中有 {count} 项发现")
    FOUND.format(count=2, checks=plural).of(Language.CHINESE)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Language", "Text", "join_texts", "language_of", "same"]


class Language(StrEnum):
    """A report language, by its BCP 47 tag."""

    ENGLISH = "en"
    CHINESE = "zh"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """Return the text in one language; English if there is no Chinese."""
        return (self.zh or self.en) if language is Language.CHINESE else self.en

    def format(self, **values: object) -> Text:
        """Fill in values by name; a :class:`Text` value is used in the matching language."""

        def filled(language: Language) -> str:
            result = {
                name: value.of(language) if isinstance(value, Text) else value
                for name, value in values.items()
            }
            return self.of(language).format(**result)

        return Text(filled(Language.ENGLISH), filled(Language.CHINESE))

    def mapped(self, change: Callable[[str], str]) -> Text:
        """Apply the same change to both languages."""
        return Text(change(self.en), change(self.zh))


def same(text: str) -> Text:
    """Make a text that is the same in both languages, such as a name or number."""
    return Text(text, text)


def join_texts(parts: Iterable[Text], between: Text) -> Text:
    """Join texts with a separator per language."""
    texts = tuple(parts)
    return Text(
        between.en.join(text.en for text in texts), between.zh.join(text.zh for text in texts)
    )


def language_of(environment: Mapping[str, str]) -> Language:
    """Choose the language of the locale, English by default.

    As in POSIX, the first non-empty variable of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` decides.
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    return Language.CHINESE if locale.lower().startswith("zh") else Language.ENGLISH
